-- AWS IoT: topic rules, things, messages that are retained, and the places whose
-- endpoint for devices somebody asked for.
CREATE TABLE iot_rules (
    account     TEXT COLLATE "C" NOT NULL,
    region      TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    filter      TEXT NOT NULL, -- of topics; empty for a rule that has none
    enabled     BOOLEAN NOT NULL,
    created     BIGINT NOT NULL,
    definition  TEXT NOT NULL,
    PRIMARY KEY (account, region, name)
);

CREATE TABLE iot_things (
    account     TEXT COLLATE "C" NOT NULL,
    region      TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    id          TEXT NOT NULL,
    version     BIGINT NOT NULL,
    attributes  TEXT NOT NULL, -- a map in JSON
    PRIMARY KEY (account, region, name)
);

CREATE TABLE iot_retained (
    account     TEXT COLLATE "C" NOT NULL,
    region      TEXT COLLATE "C" NOT NULL,
    topic       TEXT COLLATE "C" NOT NULL,
    qos         BIGINT NOT NULL,
    changed     BIGINT NOT NULL,
    size        BIGINT NOT NULL,
    payload     BYTEA NOT NULL,
    PRIMARY KEY (account, region, topic)
);

CREATE TABLE iot_endpoints (
    account     TEXT COLLATE "C" NOT NULL,
    region      TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (account, region)
);
