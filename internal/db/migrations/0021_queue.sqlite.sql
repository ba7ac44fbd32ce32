-- Queues and their messages (internal/queue).

CREATE TABLE queues (
  account    TEXT NOT NULL,
  region     TEXT NOT NULL,
  name       TEXT NOT NULL,
  id         BIGINT NOT NULL,
  created    BIGINT NOT NULL,
  modified   BIGINT NOT NULL,
  attributes TEXT NOT NULL,
  tags       TEXT NOT NULL,
  PRIMARY KEY (account, region, name)
);

CREATE UNIQUE INDEX queues_id ON queues (id);

-- A higher seq was sent later. visible is when a receiver may have the message;
-- queue is the queue's id, so that a queue made anew under a name starts empty.
CREATE TABLE queue_messages (
  queue    BIGINT NOT NULL,
  seq      BIGINT NOT NULL,
  id       TEXT NOT NULL,
  body     TEXT NOT NULL,
  message  TEXT NOT NULL,
  sent     BIGINT NOT NULL,
  visible  BIGINT NOT NULL,
  expires  BIGINT NOT NULL,
  received INTEGER NOT NULL,
  first    BIGINT NOT NULL,
  receipt  TEXT NOT NULL,
  grouping TEXT NOT NULL,
  PRIMARY KEY (queue, seq)
);

CREATE INDEX queue_messages_visible ON queue_messages (queue, visible);
CREATE INDEX queue_messages_expires ON queue_messages (queue, expires);
CREATE INDEX queue_messages_group ON queue_messages (queue, grouping, seq) WHERE grouping <> '';

-- What a FIFO queue accepted in the last five minutes, by deduplication id.
CREATE TABLE queue_deduplications (
  queue    BIGINT NOT NULL,
  scope    TEXT NOT NULL,
  id       TEXT NOT NULL,
  message  TEXT NOT NULL,
  seq      BIGINT NOT NULL,
  expires  BIGINT NOT NULL,
  PRIMARY KEY (queue, scope, id)
);
