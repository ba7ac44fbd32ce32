-- What Plumb keeps of AWS Config. Times are microseconds since the epoch.

-- Every configuration item, forever: append only.
CREATE TABLE item (
    account  TEXT COLLATE "C" NOT NULL,
    region   TEXT COLLATE "C" NOT NULL,
    type     TEXT COLLATE "C" NOT NULL,
    id       TEXT COLLATE "C" NOT NULL,
    state_id BIGINT NOT NULL, -- configurationStateId
    captured BIGINT NOT NULL,
    status   TEXT COLLATE "C" NOT NULL,
    body     TEXT NOT NULL, -- the item in the event form
    PRIMARY KEY (account, region, type, id, state_id)
);

-- The newest item of each resource, for lists, counts, comparison and queries.
CREATE TABLE resource (
    account  TEXT COLLATE "C" NOT NULL,
    region   TEXT COLLATE "C" NOT NULL,
    type     TEXT COLLATE "C" NOT NULL,
    id       TEXT COLLATE "C" NOT NULL,
    name     TEXT COLLATE "C" NOT NULL,
    arn      TEXT COLLATE "C" NOT NULL,
    state_id BIGINT NOT NULL,
    captured BIGINT NOT NULL,
    status   TEXT COLLATE "C" NOT NULL,
    deleted  BIGINT NOT NULL, -- when its deletion was captured; 0 while it lives
    digest   BYTEA NOT NULL,    -- of what a new item is compared with
    pushed   BOOLEAN NOT NULL, -- by PutResourceConfig: no collector will find it
    body     JSONB,             -- the item in the event form; null when gone or not recorded
    PRIMARY KEY (account, region, type, id)
);
CREATE INDEX resource_live ON resource (account, region, deleted, type);
CREATE INDEX resource_name ON resource (account, region, type, name);

-- The relationships of the newest items, to find what leads to a resource.
CREATE TABLE relation (
    account     TEXT COLLATE "C" NOT NULL,
    region      TEXT COLLATE "C" NOT NULL,
    type        TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    target_type TEXT COLLATE "C" NOT NULL,
    target      TEXT COLLATE "C" NOT NULL, -- the target's id, or its name where the item tells only that
    PRIMARY KEY (account, region, type, id, target_type, target)
);
CREATE INDEX relation_target ON relation (account, region, target_type, target, type, id);

CREATE TABLE recorder (
    account    TEXT COLLATE "C" NOT NULL,
    region     TEXT COLLATE "C" NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    principal  TEXT COLLATE "C" NOT NULL, -- of a service-linked recorder; empty for the customer's
    definition TEXT NOT NULL,
    status     TEXT NOT NULL,
    PRIMARY KEY (account, region, name)
);

CREATE TABLE delivery_channel (
    account    TEXT COLLATE "C" NOT NULL,
    region     TEXT COLLATE "C" NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    definition TEXT NOT NULL,
    status     TEXT NOT NULL,
    PRIMARY KEY (account, region, name)
);

CREATE TABLE rule (
    account    TEXT COLLATE "C" NOT NULL,
    region     TEXT COLLATE "C" NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL UNIQUE,
    state      TEXT COLLATE "C" NOT NULL,
    definition TEXT NOT NULL,
    status     TEXT NOT NULL,
    started    BIGINT NOT NULL, -- when an evaluation was last asked for
    next_run   BIGINT NOT NULL, -- when a periodic rule runs next; 0 if never
    PRIMARY KEY (account, region, name)
);
CREATE INDEX rule_next_run ON rule (next_run) WHERE next_run > 0;

-- Counts changes of a place's rules, so that a verdict reached on an older set is noticed.
CREATE TABLE rule_set (
    account TEXT COLLATE "C" NOT NULL,
    region  TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (account, region)
);

-- The newest result of a rule on a resource. NOT_APPLICABLE is kept, unseen by reads, so that an older result does not return.
CREATE TABLE verdict (
    account    TEXT COLLATE "C" NOT NULL,
    region     TEXT COLLATE "C" NOT NULL,
    rule_id    TEXT COLLATE "C" NOT NULL,
    type       TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    compliance TEXT COLLATE "C" NOT NULL,
    annotation TEXT NOT NULL,
    ordering   BIGINT NOT NULL,
    invoked    BIGINT NOT NULL,
    recorded   BIGINT NOT NULL,
    PRIMARY KEY (rule_id, type, id)
);
CREATE INDEX verdict_resource ON verdict (account, region, type, id);
CREATE INDEX verdict_compliance ON verdict (rule_id, compliance);

CREATE TABLE tag (
    account TEXT COLLATE "C" NOT NULL,
    region  TEXT COLLATE "C" NOT NULL,
    arn     TEXT COLLATE "C" NOT NULL,
    key     TEXT COLLATE "C" NOT NULL,
    value   TEXT NOT NULL,
    PRIMARY KEY (account, region, arn, key)
);

-- Keys that every server of this store shares, such as the one that seals result tokens.
CREATE TABLE secret (
    name  TEXT COLLATE "C" PRIMARY KEY,
    value BYTEA NOT NULL
);
