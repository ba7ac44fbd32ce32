-- Event source mappings of Lambda: what polls a source for a function.
CREATE TABLE source_mapping (
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    id         TEXT NOT NULL, -- its UUID
    source     TEXT NOT NULL, -- ARN
    function   TEXT NOT NULL, -- ARN, with a qualifier if there is one
    state      TEXT NOT NULL,
    modified   BIGINT NOT NULL,
    result     TEXT NOT NULL, -- of the last batch
    definition TEXT NOT NULL,
    PRIMARY KEY (account, region, id)
);
CREATE INDEX source_mapping_source ON source_mapping (source);
CREATE INDEX source_mapping_function ON source_mapping (function);

-- When a mapping looks at its queue next: each row has its job.
CREATE TABLE source_wake (
    mapping TEXT NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (mapping, at)
);

-- The batches of mappings with a bound that are being worked on, by their jobs.
CREATE TABLE source_slot (
    mapping TEXT NOT NULL,
    job     BIGINT NOT NULL,
    PRIMARY KEY (mapping, job)
);
