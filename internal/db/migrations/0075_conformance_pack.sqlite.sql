-- Conformance packs: what was asked for, and how its deployment fares.
CREATE TABLE conformance_pack (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    place      INTEGER NOT NULL,
    name       TEXT NOT NULL,
    public_id  TEXT NOT NULL UNIQUE, -- ConformancePackId
    definition TEXT NOT NULL,
    state      TEXT NOT NULL,
    reason     TEXT NOT NULL,
    requested  BIGINT NOT NULL,
    completed  BIGINT NOT NULL,  -- 0 while it is in progress
    leaving    BOOLEAN NOT NULL, -- its rules were made; it waits for those that leave it
    UNIQUE (place, name)
);

CREATE TABLE conformance_pack_template (
    pack INTEGER PRIMARY KEY,
    body TEXT NOT NULL
);

-- The rules of a pack. One that leaves it stays here until it is gone.
CREATE TABLE conformance_pack_rule (
    rule     INTEGER PRIMARY KEY,
    pack     INTEGER NOT NULL,
    controls TEXT NOT NULL -- JSON
);
CREATE INDEX conformance_pack_rule_pack ON conformance_pack_rule (pack, rule);
