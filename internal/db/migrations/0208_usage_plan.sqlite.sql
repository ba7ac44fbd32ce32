-- API Gateway's API keys and usage plans, and what was used of them.
CREATE TABLE gateway_key (
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    id         TEXT NOT NULL,
    digest     TEXT NOT NULL, -- of the value, by which a request's key is found
    value      BLOB NOT NULL, -- sealed
    name       TEXT NOT NULL,
    customer   TEXT NOT NULL,
    definition TEXT NOT NULL,
    PRIMARY KEY (account, region, id)
);
CREATE UNIQUE INDEX gateway_key_digest ON gateway_key (account, region, digest);

CREATE TABLE gateway_usage_plan (
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    id         TEXT NOT NULL,
    created    BIGINT NOT NULL,
    definition TEXT NOT NULL,
    PRIMARY KEY (account, region, id)
);

CREATE TABLE gateway_plan_key (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    plan    TEXT NOT NULL,
    key     TEXT NOT NULL,
    PRIMARY KEY (account, region, plan, key)
);
CREATE INDEX gateway_plan_key_key ON gateway_plan_key (account, region, key);

CREATE TABLE gateway_usage (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    plan    TEXT NOT NULL,
    key     TEXT NOT NULL,
    day     TEXT NOT NULL, -- 2026-01-31
    used    BIGINT NOT NULL, -- requests
    PRIMARY KEY (account, region, plan, key, day)
);

-- How many requests may follow at once: a bucket that fills with time.
CREATE TABLE gateway_bucket (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    plan    TEXT NOT NULL,
    key     TEXT NOT NULL,
    method  TEXT NOT NULL, -- API, stage, path and verb where the plan limits one method; else empty
    tokens  DOUBLE PRECISION NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (account, region, plan, key, method)
);
