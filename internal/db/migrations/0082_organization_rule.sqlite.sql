CREATE TABLE organization_rule (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    place      INTEGER NOT NULL,    -- whose it is
    name       TEXT NOT NULL,
    arn        TEXT NOT NULL UNIQUE,
    definition TEXT NOT NULL,
    operation  TEXT NOT NULL,
    spreading  BOOLEAN NOT NULL,    -- not every member was looked at
    generation BIGINT NOT NULL,     -- counts definitions
    updated    BIGINT NOT NULL,
    UNIQUE (place, name)
);

CREATE TABLE organization_rule_member (
    rule      INTEGER NOT NULL,
    account   TEXT NOT NULL,
    operation TEXT NOT NULL,
    progress  TEXT NOT NULL,
    code      TEXT NOT NULL,
    message   TEXT NOT NULL,
    since     BIGINT NOT NULL,
    updated   BIGINT NOT NULL,
    PRIMARY KEY (rule, account)
) WITHOUT ROWID;

CREATE INDEX organization_rule_member_account ON organization_rule_member (account, rule);

CREATE INDEX organization_rule_member_progress ON organization_rule_member (rule, progress, code);
