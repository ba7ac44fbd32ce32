-- Rules that somebody is writing at the console's bench, in development mode.
CREATE TABLE console_draft (
    name       TEXT PRIMARY KEY,
    account    TEXT NOT NULL, -- where it is tried
    region     TEXT NOT NULL,
    language   TEXT NOT NULL,
    text       TEXT NOT NULL, -- the rule itself
    types      TEXT NOT NULL, -- separated by spaces
    parameters TEXT NOT NULL, -- a JSON object, or nothing
    item       TEXT NOT NULL, -- what it is asked about, as somebody wrote it
    tests      TEXT NOT NULL, -- JSON
    answer     TEXT NOT NULL, -- JSON: what it said last; empty before
    changed    BIGINT NOT NULL
) WITHOUT ROWID;
