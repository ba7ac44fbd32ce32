-- Delivery streams of Kinesis Data Firehose.
CREATE TABLE firehose_streams (
    id         TEXT NOT NULL,
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    name       TEXT NOT NULL,
    created    BIGINT NOT NULL,
    updated    BIGINT NOT NULL, -- 0 if never
    version    BIGINT NOT NULL,
    definition TEXT NOT NULL,
    PRIMARY KEY (account, region, name)
);
CREATE UNIQUE INDEX firehose_streams_by_id ON firehose_streams (id);

-- What their records wait in: for the function, for a bucket.
CREATE TABLE firehose_buffers (
    id       TEXT NOT NULL,
    stream   TEXT NOT NULL,
    kind     TEXT NOT NULL,
    opened   BIGINT NOT NULL, -- when its first record arrived
    records  BIGINT NOT NULL,
    bytes    BIGINT NOT NULL,
    weight   BIGINT NOT NULL, -- bytes of an event with them
    state    TEXT NOT NULL, -- open, full, timed
    attempts BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX firehose_buffers_by_stream ON firehose_buffers (stream, kind, state);

CREATE TABLE firehose_records (
    buffer  TEXT NOT NULL,
    seq     BIGINT NOT NULL,
    arrived BIGINT NOT NULL,
    data    BLOB NOT NULL,
    PRIMARY KEY (buffer, seq)
);
