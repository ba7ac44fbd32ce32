-- CloudWatch Logs: groups, streams and events (internal/logs).

-- seq is the number of the newest event, bytes what the events take.
CREATE TABLE log_groups (
  account   TEXT NOT NULL,
  region    TEXT NOT NULL,
  name      TEXT COLLATE "C" NOT NULL,
  id        BIGINT NOT NULL,
  created   BIGINT NOT NULL,
  retention INTEGER NOT NULL,
  tags      TEXT NOT NULL,
  seq       BIGINT NOT NULL,
  bytes     BIGINT NOT NULL,
  PRIMARY KEY (account, region, name)
);

CREATE UNIQUE INDEX log_groups_id ON log_groups (id);

-- Times are in milliseconds; first, last and ingested are 0 before the first event.
CREATE TABLE log_streams (
  log_group BIGINT NOT NULL,
  name      TEXT COLLATE "C" NOT NULL,
  id        BIGINT NOT NULL,
  created   BIGINT NOT NULL,
  first     BIGINT NOT NULL,
  last      BIGINT NOT NULL,
  ingested  BIGINT NOT NULL,
  PRIMARY KEY (log_group, name)
);

CREATE UNIQUE INDEX log_streams_id ON log_streams (id);
CREATE INDEX log_streams_last ON log_streams (log_group, last, name);

CREATE TABLE log_events (
  log_group BIGINT NOT NULL,
  time      BIGINT NOT NULL,
  seq       BIGINT NOT NULL,
  stream    BIGINT NOT NULL,
  ingested  BIGINT NOT NULL,
  size      INTEGER NOT NULL,
  message   TEXT NOT NULL,
  PRIMARY KEY (log_group, time, seq)
);

CREATE INDEX log_events_stream ON log_events (stream, time, seq);
