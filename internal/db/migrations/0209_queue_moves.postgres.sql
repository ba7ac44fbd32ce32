-- Tasks that move the messages of a dead-letter queue (internal/queue): the last ten of
-- each queue, by the queue's id. A higher number was started later.
CREATE TABLE queue_moves (
  queue       BIGINT NOT NULL,
  number      BIGINT NOT NULL,
  id          TEXT NOT NULL,
  destination TEXT NOT NULL, -- an ARN; empty is where each message came from
  rate        INTEGER NOT NULL, -- messages a second; 0 is no limit
  status      TEXT NOT NULL,
  moved       BIGINT NOT NULL,
  total       BIGINT NOT NULL, -- messages to move, as counted at the start
  failure     TEXT NOT NULL,
  started     BIGINT NOT NULL,
  last        BIGINT NOT NULL, -- the seq of the last message to move
  PRIMARY KEY (queue, number)
);
