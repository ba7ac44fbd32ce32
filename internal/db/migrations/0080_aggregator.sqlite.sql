CREATE TABLE aggregator (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    place      INTEGER NOT NULL,
    name       TEXT NOT NULL,
    arn        TEXT NOT NULL UNIQUE,
    definition TEXT NOT NULL,   -- without the accounts of its source
    created    BIGINT NOT NULL,
    updated    BIGINT NOT NULL,
    UNIQUE (place, name)
);

-- The accounts of an aggregator's source. Whose it is stands here too: an account is asked who wants to see it.
CREATE TABLE aggregation_source (
    aggregator INTEGER NOT NULL,
    account    TEXT NOT NULL,
    n          INTEGER NOT NULL, -- where it stands in the list that was put
    by_account TEXT NOT NULL,
    by_region  TEXT NOT NULL,
    PRIMARY KEY (aggregator, account)
) WITHOUT ROWID;

CREATE INDEX aggregation_source_account ON aggregation_source (account, by_account, by_region, aggregator);

CREATE TABLE aggregation_authorization (
    place   INTEGER NOT NULL, -- that may be shown
    account TEXT NOT NULL,    -- whose aggregators may show it, and where
    region  TEXT NOT NULL,
    arn     TEXT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (place, account, region)
) WITHOUT ROWID;

-- Requests that a place did not want to see any more, until the aggregator is put again.
CREATE TABLE aggregation_refusal (
    account TEXT NOT NULL, -- who asked
    region  TEXT NOT NULL,
    place   INTEGER NOT NULL,
    PRIMARY KEY (account, region, place)
) WITHOUT ROWID;
