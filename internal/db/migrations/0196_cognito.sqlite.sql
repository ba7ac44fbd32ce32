-- Cognito's identity pools and identities, and the datasets that Cognito Sync keeps for them.
CREATE TABLE cognito_pool (
    id          TEXT NOT NULL,
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    created     BIGINT NOT NULL,
    definition  TEXT NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX cognito_pool_by_place ON cognito_pool (account, region, id);

CREATE TABLE cognito_identity (
    id          TEXT NOT NULL,
    pool        TEXT NOT NULL,
    created     BIGINT NOT NULL,
    logins      TEXT NOT NULL, -- providers, as a list in JSON
    PRIMARY KEY (id)
);

CREATE INDEX cognito_identity_by_pool ON cognito_identity (pool, id);

CREATE TABLE cognito_login (
    pool        TEXT NOT NULL,
    provider    TEXT NOT NULL,
    subject     TEXT NOT NULL,
    identity    TEXT NOT NULL,
    PRIMARY KEY (pool, provider, subject)
);

-- Which function may change what is written to the datasets of a pool.
CREATE TABLE cognito_trigger (
    pool        TEXT NOT NULL,
    function    TEXT NOT NULL,
    PRIMARY KEY (pool)
);

-- A dataset that was deleted stays, with its sync count.
CREATE TABLE cognito_dataset (
    pool        TEXT NOT NULL,
    identity    TEXT NOT NULL,
    name        TEXT NOT NULL,
    created     BIGINT NOT NULL,
    changed     BIGINT NOT NULL,
    changed_by  TEXT NOT NULL,
    sync_count  BIGINT NOT NULL,
    deleted     BIGINT NOT NULL, -- the sync count of the deletion; 0 while it is there
    records     BIGINT NOT NULL,
    storage     BIGINT NOT NULL, -- bytes of keys and values
    PRIMARY KEY (pool, identity, name)
);

-- A record without a value was removed.
CREATE TABLE cognito_record (
    pool            TEXT NOT NULL,
    identity        TEXT NOT NULL,
    dataset         TEXT NOT NULL,
    name            TEXT NOT NULL,
    value           TEXT,
    sync_count      BIGINT NOT NULL,
    changed         BIGINT NOT NULL,
    changed_by      TEXT NOT NULL,
    device_changed  BIGINT NOT NULL,
    PRIMARY KEY (pool, identity, dataset, name)
);
