CREATE TABLE organization (
    id         TEXT PRIMARY KEY,
    management TEXT NOT NULL UNIQUE, -- the account
    features   TEXT NOT NULL,
    root       TEXT NOT NULL,
    created    BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE organization_account (
    account      TEXT PRIMARY KEY, -- which is in at most one organization
    organization TEXT NOT NULL,
    parent       TEXT NOT NULL,    -- a unit, or the root
    name         TEXT NOT NULL,
    email        TEXT NOT NULL,
    method       TEXT NOT NULL,    -- INVITED or CREATED
    joined       BIGINT NOT NULL
) WITHOUT ROWID;

CREATE INDEX organization_account_member ON organization_account (organization, account);

CREATE INDEX organization_account_parent ON organization_account (organization, parent, account);

CREATE TABLE organization_unit (
    organization TEXT NOT NULL,
    id           TEXT NOT NULL,
    parent       TEXT NOT NULL,
    name         TEXT NOT NULL,
    PRIMARY KEY (organization, id),
    UNIQUE (organization, parent, name)
) WITHOUT ROWID;

CREATE INDEX organization_unit_parent ON organization_unit (organization, parent, id);

CREATE TABLE organization_creation (
    organization TEXT NOT NULL,
    id           TEXT NOT NULL,
    account      TEXT NOT NULL,
    name         TEXT NOT NULL,
    at           BIGINT NOT NULL,
    PRIMARY KEY (organization, id)
) WITHOUT ROWID;

CREATE TABLE organization_handshake (
    id           TEXT PRIMARY KEY,
    organization TEXT NOT NULL,
    account      TEXT NOT NULL, -- that is invited
    state        TEXT NOT NULL,
    notes        TEXT NOT NULL,
    tags         TEXT NOT NULL, -- that the account will have
    requested    BIGINT NOT NULL,
    expires      BIGINT NOT NULL
) WITHOUT ROWID;

CREATE INDEX organization_handshake_account ON organization_handshake (account, id);

CREATE INDEX organization_handshake_organization ON organization_handshake (organization, id);

CREATE TABLE organization_service (
    organization TEXT NOT NULL,
    principal    TEXT NOT NULL, -- a service that may act in all accounts
    enabled      BIGINT NOT NULL,
    PRIMARY KEY (organization, principal)
) WITHOUT ROWID;

CREATE TABLE organization_delegate (
    organization TEXT NOT NULL,
    account      TEXT NOT NULL, -- that administers the service for all accounts
    principal    TEXT NOT NULL,
    enabled      BIGINT NOT NULL,
    PRIMARY KEY (organization, account, principal)
) WITHOUT ROWID;

CREATE TABLE organization_tag (
    organization TEXT NOT NULL,
    resource     TEXT NOT NULL, -- an account, a unit or the root
    key          TEXT NOT NULL,
    value        TEXT NOT NULL,
    PRIMARY KEY (organization, resource, key)
) WITHOUT ROWID;
