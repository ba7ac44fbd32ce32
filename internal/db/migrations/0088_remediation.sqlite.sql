-- What puts right the resources that do not comply with a rule.
CREATE TABLE remediation (
    place      INTEGER NOT NULL,
    rule       TEXT NOT NULL, -- its name
    automatic  BOOLEAN NOT NULL,
    definition TEXT NOT NULL,
    PRIMARY KEY (place, rule)
);

-- Resources that are not put right by themselves.
CREATE TABLE remediation_exception (
    place   INTEGER NOT NULL,
    rule    TEXT NOT NULL,
    type    TEXT NOT NULL,
    id      TEXT NOT NULL,
    message TEXT NOT NULL,
    expires BIGINT NOT NULL, -- 0: never
    PRIMARY KEY (place, rule, type, id)
);

-- The last time that a resource was to be put right.
CREATE TABLE remediation_execution (
    place     INTEGER NOT NULL,
    rule      TEXT NOT NULL,
    type      TEXT NOT NULL,
    id        TEXT NOT NULL,
    state     TEXT NOT NULL,
    execution TEXT NOT NULL,
    automatic BOOLEAN NOT NULL,
    attempts  INTEGER NOT NULL,
    first     BIGINT NOT NULL,
    wave      BIGINT NOT NULL,
    invoked   BIGINT NOT NULL,
    updated   BIGINT NOT NULL,
    steps     TEXT NOT NULL,
    PRIMARY KEY (place, rule, type, id)
);
CREATE INDEX remediation_execution_state ON remediation_execution (place, rule, state, wave, type, id);
