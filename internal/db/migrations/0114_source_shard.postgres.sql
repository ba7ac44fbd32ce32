-- How far the shards of streams are that functions are mapped to. The row without a
-- shard is the mapping's own.
CREATE TABLE source_shard (
    mapping  TEXT COLLATE "C" NOT NULL,
    shard    TEXT COLLATE "C" NOT NULL,
    round    BIGINT NOT NULL, -- of polling
    job      BIGINT NOT NULL, -- that reads it
    done     BOOLEAN NOT NULL,
    progress TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (mapping, shard)
);
