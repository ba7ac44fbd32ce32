-- Event buses. The default one of a place has a row once something was set on it.
CREATE TABLE event_buses (
    account     TEXT COLLATE "C" NOT NULL,
    region      TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    created     BIGINT NOT NULL,
    changed     BIGINT NOT NULL,
    definition  TEXT NOT NULL, -- description, key, dead letters, logging
    policy      TEXT NOT NULL, -- JSON, or empty
    tags        TEXT NOT NULL,
    PRIMARY KEY (account, region, name)
);

-- Their rules. Who routes an event reads those that are on and have a pattern.
CREATE TABLE event_rules (
    account     TEXT COLLATE "C" NOT NULL,
    region      TEXT COLLATE "C" NOT NULL,
    bus         TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    pattern     TEXT NOT NULL, -- JSON, or empty
    schedule    TEXT NOT NULL, -- an expression, or empty
    enabled     BOOLEAN NOT NULL,
    due         BIGINT NOT NULL, -- when the schedule is due next; 0 if never
    since       BIGINT NOT NULL, -- what a rate counts from
    definition  TEXT NOT NULL,   -- state, description, role
    tags        TEXT NOT NULL,
    PRIMARY KEY (account, region, bus, name)
);
CREATE INDEX event_rules_routing ON event_rules (account, region, bus) WHERE enabled AND pattern <> '';

-- Where rules send events.
CREATE TABLE event_targets (
    account     TEXT COLLATE "C" NOT NULL,
    region      TEXT COLLATE "C" NOT NULL,
    bus         TEXT COLLATE "C" NOT NULL,
    rule        TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    arn         TEXT COLLATE "C" NOT NULL,
    definition  TEXT NOT NULL,
    PRIMARY KEY (account, region, bus, rule, id)
);
CREATE INDEX event_targets_arn ON event_targets (account, region, bus, arn, rule);
