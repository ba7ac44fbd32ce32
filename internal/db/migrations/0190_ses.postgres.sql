-- SES's receiving side. One rule set of a place may be active.
CREATE TABLE ses_rule_sets (
    account     TEXT COLLATE "C" NOT NULL,
    region      TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    created     BIGINT NOT NULL,
    active      BOOLEAN NOT NULL,
    PRIMARY KEY (account, region, name)
);

CREATE INDEX ses_rule_sets_active ON ses_rule_sets (account, region) WHERE active;

CREATE TABLE ses_rules (
    account     TEXT COLLATE "C" NOT NULL,
    region      TEXT COLLATE "C" NOT NULL,
    rule_set    TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    position    BIGINT NOT NULL,
    definition  TEXT NOT NULL,
    PRIMARY KEY (account, region, rule_set, name)
);

CREATE TABLE ses_filters (
    account     TEXT COLLATE "C" NOT NULL,
    region      TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    allow       BOOLEAN NOT NULL,
    cidr        TEXT NOT NULL,
    PRIMARY KEY (account, region, name)
);

CREATE TABLE ses_identities (
    account     TEXT COLLATE "C" NOT NULL,
    region      TEXT COLLATE "C" NOT NULL,
    identity    TEXT COLLATE "C" NOT NULL,
    token       TEXT NOT NULL,
    created     BIGINT NOT NULL,
    PRIMARY KEY (account, region, identity)
);

-- Mail on its way through the rules of a place.
CREATE TABLE ses_mails (
    id          TEXT COLLATE "C" PRIMARY KEY,
    account     TEXT COLLATE "C" NOT NULL,
    region      TEXT COLLATE "C" NOT NULL,
    state       TEXT NOT NULL,
    body        BYTEA NOT NULL
);
