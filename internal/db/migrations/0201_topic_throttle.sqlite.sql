-- When the next message may go to an HTTP subscription that wants so many a second, in microseconds.
CREATE TABLE topic_throttle (
    subscription TEXT PRIMARY KEY,
    free         BIGINT NOT NULL
) WITHOUT ROWID;
