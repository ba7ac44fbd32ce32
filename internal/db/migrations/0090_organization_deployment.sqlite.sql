CREATE TABLE organization_deployment (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    place      INTEGER NOT NULL,    -- whose it is
    kind       TEXT NOT NULL,       -- rule or pack
    name       TEXT NOT NULL,
    arn        TEXT NOT NULL UNIQUE,
    definition TEXT NOT NULL,
    operation  TEXT NOT NULL,
    spreading  BOOLEAN NOT NULL,    -- not every member was looked at
    generation BIGINT NOT NULL,     -- counts definitions
    updated    BIGINT NOT NULL,
    UNIQUE (place, kind, name)
);

CREATE TABLE organization_deployment_member (
    deployment INTEGER NOT NULL,
    account    TEXT NOT NULL,
    operation  TEXT NOT NULL,
    progress   TEXT NOT NULL,
    code       TEXT NOT NULL,
    message    TEXT NOT NULL,
    since      BIGINT NOT NULL,
    updated    BIGINT NOT NULL,
    handed     BIGINT NOT NULL, -- the generation that the account's pack was last put with
    PRIMARY KEY (deployment, account)
) WITHOUT ROWID;

CREATE TABLE organization_deployment_template (
    deployment INTEGER PRIMARY KEY,
    body       TEXT NOT NULL
);

INSERT INTO organization_deployment (id, place, kind, name, arn, definition, operation, spreading, generation, updated)
SELECT id, place, 'rule', name, arn, definition, operation, spreading, generation, updated FROM organization_rule;

INSERT INTO organization_deployment_member (deployment, account, operation, progress, code, message, since, updated, handed)
SELECT rule, account, operation, progress, code, message, since, updated, 0 FROM organization_rule_member;

DROP TABLE organization_rule;

DROP TABLE organization_rule_member;

CREATE INDEX organization_deployment_member_account ON organization_deployment_member (account, deployment);

CREATE INDEX organization_deployment_member_progress ON organization_deployment_member (deployment, progress, code);
