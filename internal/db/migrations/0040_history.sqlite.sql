-- The history of configuration items, by month. A state id is an item's capture time in milliseconds.

-- The pattern of the months' tables, item_YYYYMM, which are made when the first item of a month is recorded. It stays empty.
CREATE TABLE item (
    resource  BIGINT NOT NULL,
    state_id  BIGINT NOT NULL,
    previous  BIGINT NOT NULL,   -- the item before it, 0 if it is the first; in a reference row the item that it stands for
    body      BIGINT NOT NULL,   -- 0 if the body is kept with this item; else the earlier item whose body is the same
    status    SMALLINT NOT NULL, -- as in resource
    reference BOOLEAN NOT NULL,  -- no item, but what was true when the month began
    PRIMARY KEY (resource, state_id)
) WITHOUT ROWID;

-- The months that have a table.
CREATE TABLE item_month (
    month   INTEGER PRIMARY KEY,  -- 202611
    carried BIGINT NOT NULL,      -- the last resource that has its reference row, or -1: all have theirs
    dropped BOOLEAN NOT NULL      -- nobody reads it any more; the table goes next
);

-- What items say, without their stamps: one body for all items of a resource in a row that say the same.
CREATE TABLE body (
    resource   BIGINT NOT NULL,
    state_id   BIGINT NOT NULL,   -- of the first item that has it
    coding     SMALLINT NOT NULL, -- 0 text, 1 zstd
    dictionary INTEGER NOT NULL,  -- that it was packed with; 0 is none
    content    BLOB NOT NULL,
    PRIMARY KEY (resource, state_id)
);

-- What bodies are packed with: samples of the bodies of one type. Never changed and never deleted.
CREATE TABLE dictionary (
    id      INTEGER PRIMARY KEY, -- drawn
    type    TEXT NOT NULL,
    version INTEGER NOT NULL, -- the highest is used for new bodies
    samples INTEGER NOT NULL, -- how many bodies it was made from
    made    BIGINT NOT NULL,  -- the state id of the newest of them
    content BLOB NOT NULL,
    UNIQUE (type, version)
);

ALTER TABLE resource ADD COLUMN body BIGINT NOT NULL DEFAULT 0; -- the state id that the newest item's body is kept under
ALTER TABLE resource ADD COLUMN body_digest BLOB; -- of that body
