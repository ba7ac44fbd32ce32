CREATE TABLE organization (
    id         TEXT COLLATE "C" PRIMARY KEY,
    management TEXT COLLATE "C" NOT NULL UNIQUE, -- the account
    features   TEXT COLLATE "C" NOT NULL,
    root       TEXT COLLATE "C" NOT NULL,
    created    BIGINT NOT NULL
);

CREATE TABLE organization_account (
    account      TEXT COLLATE "C" PRIMARY KEY, -- which is in at most one organization
    organization TEXT COLLATE "C" NOT NULL,
    parent       TEXT COLLATE "C" NOT NULL,    -- a unit, or the root
    name         TEXT COLLATE "C" NOT NULL,
    email        TEXT COLLATE "C" NOT NULL,
    method       TEXT COLLATE "C" NOT NULL,    -- INVITED or CREATED
    joined       BIGINT NOT NULL
);

CREATE INDEX organization_account_member ON organization_account (organization, account);

CREATE INDEX organization_account_parent ON organization_account (organization, parent, account);

CREATE TABLE organization_unit (
    organization TEXT COLLATE "C" NOT NULL,
    id           TEXT COLLATE "C" NOT NULL,
    parent       TEXT COLLATE "C" NOT NULL,
    name         TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (organization, id),
    UNIQUE (organization, parent, name)
);

CREATE INDEX organization_unit_parent ON organization_unit (organization, parent, id);

CREATE TABLE organization_creation (
    organization TEXT COLLATE "C" NOT NULL,
    id           TEXT COLLATE "C" NOT NULL,
    account      TEXT COLLATE "C" NOT NULL,
    name         TEXT COLLATE "C" NOT NULL,
    at           BIGINT NOT NULL,
    PRIMARY KEY (organization, id)
);

CREATE TABLE organization_handshake (
    id           TEXT COLLATE "C" PRIMARY KEY,
    organization TEXT COLLATE "C" NOT NULL,
    account      TEXT COLLATE "C" NOT NULL, -- that is invited
    state        TEXT COLLATE "C" NOT NULL,
    notes        TEXT COLLATE "C" NOT NULL,
    tags         TEXT COLLATE "C" NOT NULL, -- that the account will have
    requested    BIGINT NOT NULL,
    expires      BIGINT NOT NULL
);

CREATE INDEX organization_handshake_account ON organization_handshake (account, id);

CREATE INDEX organization_handshake_organization ON organization_handshake (organization, id);

CREATE TABLE organization_service (
    organization TEXT COLLATE "C" NOT NULL,
    principal    TEXT COLLATE "C" NOT NULL, -- a service that may act in all accounts
    enabled      BIGINT NOT NULL,
    PRIMARY KEY (organization, principal)
);

CREATE TABLE organization_delegate (
    organization TEXT COLLATE "C" NOT NULL,
    account      TEXT COLLATE "C" NOT NULL, -- that administers the service for all accounts
    principal    TEXT COLLATE "C" NOT NULL,
    enabled      BIGINT NOT NULL,
    PRIMARY KEY (organization, account, principal)
);

CREATE TABLE organization_tag (
    organization TEXT COLLATE "C" NOT NULL,
    resource     TEXT COLLATE "C" NOT NULL, -- an account, a unit or the root
    key          TEXT COLLATE "C" NOT NULL,
    value        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (organization, resource, key)
);
