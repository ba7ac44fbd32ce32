-- Queues and buckets of other people that records of CloudTrail are read from: there is a
-- row for each that has a job which does.
CREATE TABLE trail_source (
    source TEXT COLLATE "C" PRIMARY KEY -- place and address
);

-- Files of CloudTrail's that were read, as long as their buckets list them among the new.
CREATE TABLE trail_file (
    source TEXT COLLATE "C" NOT NULL,
    name   TEXT COLLATE "C" NOT NULL, -- the object's key
    at     BIGINT NOT NULL,
    PRIMARY KEY (source, name)
);
