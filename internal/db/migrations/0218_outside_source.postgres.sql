-- What was read last of the accounts whose AWS Config is elsewhere, for aggregators.
CREATE TABLE outside_source (
    place     INTEGER PRIMARY KEY,
    began     BIGINT NOT NULL, -- the reading that goes on; 0 if none does
    succeeded BIGINT NOT NULL, -- the last one that did; 0 if none
    code      TEXT NOT NULL,   -- why the last one failed; empty if it did not
    message   TEXT NOT NULL
);

-- Whether the job that has all of them read is planned: there is a row then.
CREATE TABLE outside_plan (
    id INTEGER PRIMARY KEY CHECK (id = 1)
);
