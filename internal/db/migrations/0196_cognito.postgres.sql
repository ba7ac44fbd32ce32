-- Cognito's identity pools and identities, and the datasets that Cognito Sync keeps for them.
CREATE TABLE cognito_pool (
    id          TEXT COLLATE "C" NOT NULL,
    account     TEXT COLLATE "C" NOT NULL,
    region      TEXT COLLATE "C" NOT NULL,
    created     BIGINT NOT NULL,
    definition  TEXT NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX cognito_pool_by_place ON cognito_pool (account, region, id);

CREATE TABLE cognito_identity (
    id          TEXT COLLATE "C" NOT NULL,
    pool        TEXT COLLATE "C" NOT NULL,
    created     BIGINT NOT NULL,
    logins      TEXT NOT NULL, -- providers, as a list in JSON
    PRIMARY KEY (id)
);

CREATE INDEX cognito_identity_by_pool ON cognito_identity (pool, id);

CREATE TABLE cognito_login (
    pool        TEXT COLLATE "C" NOT NULL,
    provider    TEXT COLLATE "C" NOT NULL,
    subject     TEXT COLLATE "C" NOT NULL,
    identity    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (pool, provider, subject)
);

-- Which function may change what is written to the datasets of a pool.
CREATE TABLE cognito_trigger (
    pool        TEXT COLLATE "C" NOT NULL,
    function    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (pool)
);

-- A dataset that was deleted stays, with its sync count.
CREATE TABLE cognito_dataset (
    pool        TEXT COLLATE "C" NOT NULL,
    identity    TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
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
    pool            TEXT COLLATE "C" NOT NULL,
    identity        TEXT COLLATE "C" NOT NULL,
    dataset         TEXT COLLATE "C" NOT NULL,
    name            TEXT COLLATE "C" NOT NULL,
    value           TEXT,
    sync_count      BIGINT NOT NULL,
    changed         BIGINT NOT NULL,
    changed_by      TEXT NOT NULL,
    device_changed  BIGINT NOT NULL,
    PRIMARY KEY (pool, identity, dataset, name)
);
