-- What Plumb keeps of functions. Times are microseconds since the epoch.

-- The zip files, each once, under the SHA-256 of their bytes in hexadecimal.
CREATE TABLE lambda_code (
    sha  TEXT PRIMARY KEY,
    size BIGINT NOT NULL,
    zip  BLOB NOT NULL
);

-- One row for each version; the row of $LATEST is the function itself.
CREATE TABLE lambda_function (
    account      TEXT NOT NULL,
    region       TEXT NOT NULL,
    name         TEXT NOT NULL,
    version      TEXT NOT NULL,    -- $LATEST or digits
    number       BIGINT NOT NULL,  -- the same for order; 0 for $LATEST
    settings     TEXT NOT NULL,
    sha          TEXT NOT NULL,
    size         BIGINT NOT NULL,
    revision     TEXT NOT NULL,
    modified     BIGINT NOT NULL,
    last_version BIGINT NOT NULL,  -- of the function, on $LATEST: numbers are never used again
    reserved     BIGINT,           -- reserved concurrency, on $LATEST
    tags         TEXT NOT NULL,    -- on $LATEST
    PRIMARY KEY (account, region, name, version)
);
CREATE INDEX lambda_function_sha ON lambda_function (sha);

CREATE TABLE lambda_alias (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    name        TEXT NOT NULL,
    alias       TEXT NOT NULL,
    version     TEXT NOT NULL,
    description TEXT NOT NULL,
    weights     TEXT NOT NULL, -- of additional versions
    revision    TEXT NOT NULL,
    PRIMARY KEY (account, region, name, alias)
);

-- Policies and event invoke configurations belong to a function, a version or an
-- alias: the qualifier is empty for the function without one.
CREATE TABLE lambda_policy (
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    name       TEXT NOT NULL,
    qualifier  TEXT NOT NULL,
    statements TEXT NOT NULL,
    revision   TEXT NOT NULL,
    PRIMARY KEY (account, region, name, qualifier)
);

CREATE TABLE lambda_event_invoke (
    account   TEXT NOT NULL,
    region    TEXT NOT NULL,
    name      TEXT NOT NULL,
    qualifier TEXT NOT NULL, -- $LATEST, a version or an alias
    body      TEXT NOT NULL,
    modified  BIGINT NOT NULL,
    PRIMARY KEY (account, region, name, qualifier)
);

-- What signs the links to code, the same for all servers of a store.
CREATE TABLE lambda_key (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
);
