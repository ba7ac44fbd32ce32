-- Queues and buckets of other people that records of CloudTrail are read from: there is a
-- row for each that has a job which does.
CREATE TABLE trail_source (
    source TEXT PRIMARY KEY -- place and address
) WITHOUT ROWID;

-- Files of CloudTrail's that were read, as long as their buckets list them among the new.
CREATE TABLE trail_file (
    source TEXT NOT NULL,
    name   TEXT NOT NULL, -- the object's key
    at     BIGINT NOT NULL,
    PRIMARY KEY (source, name)
) WITHOUT ROWID;
