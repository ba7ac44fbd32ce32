-- How long the items of a place are kept, where somebody said so.
CREATE TABLE retention (
    place   INTEGER PRIMARY KEY,
    name    TEXT NOT NULL,
    days    INTEGER NOT NULL,
    expired BIGINT NOT NULL -- items of before this state id were deleted
);

-- Resources that are gone, the longest gone first.
CREATE INDEX resource_gone ON resource (place, state_id) WHERE status IN (4, 5);

-- The one row says when what is too old is deleted next. A job at another time has been overtaken.
CREATE TABLE retention_run (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    next BIGINT NOT NULL
);
