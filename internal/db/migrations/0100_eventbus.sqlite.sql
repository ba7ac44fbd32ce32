-- Event buses. The default one of a place has a row once something was set on it.
CREATE TABLE event_buses (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    name        TEXT NOT NULL,
    created     BIGINT NOT NULL,
    changed     BIGINT NOT NULL,
    definition  TEXT NOT NULL, -- description, key, dead letters, logging
    policy      TEXT NOT NULL, -- JSON, or empty
    tags        TEXT NOT NULL,
    PRIMARY KEY (account, region, name)
);

-- Their rules. Who routes an event reads those that are on and have a pattern.
CREATE TABLE event_rules (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    bus         TEXT NOT NULL,
    name        TEXT NOT NULL,
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
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    bus         TEXT NOT NULL,
    rule        TEXT NOT NULL,
    id          TEXT NOT NULL,
    arn         TEXT NOT NULL,
    definition  TEXT NOT NULL,
    PRIMARY KEY (account, region, bus, rule, id)
);
CREATE INDEX event_targets_arn ON event_targets (account, region, bus, arn, rule);
