-- The servers that run jobs of this store, and when each was last alive by the database's own clock, in seconds.
CREATE TABLE job_server (
    name TEXT PRIMARY KEY,
    seen BIGINT NOT NULL
);
