-- When the next message may go to an HTTP subscription that wants so many a second, in microseconds.
CREATE TABLE topic_throttle (
    subscription TEXT COLLATE "C" PRIMARY KEY,
    free         BIGINT NOT NULL
);
