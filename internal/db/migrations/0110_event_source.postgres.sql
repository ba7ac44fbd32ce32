-- Event source mappings of Lambda: what polls a source for a function.
CREATE TABLE source_mapping (
    account    TEXT COLLATE "C" NOT NULL,
    region     TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL, -- its UUID
    source     TEXT COLLATE "C" NOT NULL, -- ARN
    function   TEXT COLLATE "C" NOT NULL, -- ARN, with a qualifier if there is one
    state      TEXT COLLATE "C" NOT NULL,
    modified   BIGINT NOT NULL,
    result     TEXT COLLATE "C" NOT NULL, -- of the last batch
    definition TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (account, region, id)
);
CREATE INDEX source_mapping_source ON source_mapping (source);
CREATE INDEX source_mapping_function ON source_mapping (function);

-- When a mapping looks at its queue next: each row has its job.
CREATE TABLE source_wake (
    mapping TEXT COLLATE "C" NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (mapping, at)
);

-- The batches of mappings with a bound that are being worked on, by their jobs.
CREATE TABLE source_slot (
    mapping TEXT COLLATE "C" NOT NULL,
    job     BIGINT NOT NULL,
    PRIMARY KEY (mapping, job)
);
