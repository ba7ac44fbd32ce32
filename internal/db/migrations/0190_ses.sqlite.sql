-- SES's receiving side. One rule set of a place may be active.
CREATE TABLE ses_rule_sets (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    name        TEXT NOT NULL,
    created     BIGINT NOT NULL,
    active      BOOLEAN NOT NULL,
    PRIMARY KEY (account, region, name)
);

CREATE INDEX ses_rule_sets_active ON ses_rule_sets (account, region) WHERE active;

CREATE TABLE ses_rules (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    rule_set    TEXT NOT NULL,
    name        TEXT NOT NULL,
    position    BIGINT NOT NULL,
    definition  TEXT NOT NULL,
    PRIMARY KEY (account, region, rule_set, name)
);

CREATE TABLE ses_filters (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    name        TEXT NOT NULL,
    allow       BOOLEAN NOT NULL,
    cidr        TEXT NOT NULL,
    PRIMARY KEY (account, region, name)
);

CREATE TABLE ses_identities (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    identity    TEXT NOT NULL,
    token       TEXT NOT NULL,
    created     BIGINT NOT NULL,
    PRIMARY KEY (account, region, identity)
);

-- Mail on its way through the rules of a place.
CREATE TABLE ses_mails (
    id          TEXT PRIMARY KEY,
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    state       TEXT NOT NULL,
    body        BLOB NOT NULL
);
