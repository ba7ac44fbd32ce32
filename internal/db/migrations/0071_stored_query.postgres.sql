-- Queries that were given a name.
CREATE TABLE stored_query (
    place       INTEGER NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    public_id   TEXT NOT NULL, -- QueryId
    description TEXT NOT NULL,
    expression  TEXT NOT NULL,
    changed     BIGINT NOT NULL,
    PRIMARY KEY (place, name)
);
