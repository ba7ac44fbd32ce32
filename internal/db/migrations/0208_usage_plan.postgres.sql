-- API Gateway's API keys and usage plans, and what was used of them.
CREATE TABLE gateway_key (
    account    TEXT COLLATE "C" NOT NULL,
    region     TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    digest     TEXT COLLATE "C" NOT NULL, -- of the value, by which a request's key is found
    value      BYTEA NOT NULL, -- sealed
    name       TEXT COLLATE "C" NOT NULL,
    customer   TEXT COLLATE "C" NOT NULL,
    definition TEXT NOT NULL,
    PRIMARY KEY (account, region, id)
);
CREATE UNIQUE INDEX gateway_key_digest ON gateway_key (account, region, digest);

CREATE TABLE gateway_usage_plan (
    account    TEXT COLLATE "C" NOT NULL,
    region     TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    created    BIGINT NOT NULL,
    definition TEXT NOT NULL,
    PRIMARY KEY (account, region, id)
);

CREATE TABLE gateway_plan_key (
    account TEXT COLLATE "C" NOT NULL,
    region  TEXT COLLATE "C" NOT NULL,
    plan    TEXT COLLATE "C" NOT NULL,
    key     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (account, region, plan, key)
);
CREATE INDEX gateway_plan_key_key ON gateway_plan_key (account, region, key);

CREATE TABLE gateway_usage (
    account TEXT COLLATE "C" NOT NULL,
    region  TEXT COLLATE "C" NOT NULL,
    plan    TEXT COLLATE "C" NOT NULL,
    key     TEXT COLLATE "C" NOT NULL,
    day     TEXT COLLATE "C" NOT NULL, -- 2026-01-31
    used    BIGINT NOT NULL, -- requests
    PRIMARY KEY (account, region, plan, key, day)
);

-- How many requests may follow at once: a bucket that fills with time.
CREATE TABLE gateway_bucket (
    account TEXT COLLATE "C" NOT NULL,
    region  TEXT COLLATE "C" NOT NULL,
    plan    TEXT COLLATE "C" NOT NULL,
    key     TEXT COLLATE "C" NOT NULL,
    method  TEXT COLLATE "C" NOT NULL, -- API, stage, path and verb where the plan limits one method; else empty
    tokens  DOUBLE PRECISION NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (account, region, plan, key, method)
);
