-- What Plumb keeps of AWS Config. Places, types, resources and rules have integer keys: a verdict is two of them and three times.
-- Times are microseconds since the epoch; a state id is the capture time of an item in milliseconds.

-- The accounts and regions that anything was ever kept of. Never deleted.
CREATE TABLE place (
    id      INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    UNIQUE (account, region)
);

-- The types of resources that anything ever named. Never deleted.
CREATE TABLE resource_type (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- Each resource that was recorded, judged or announced, and what lists, counts and comparison need of its newest item.
CREATE TABLE resource (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    place         INTEGER NOT NULL,
    type          INTEGER NOT NULL,
    external_id   TEXT NOT NULL,     -- its id as AWS Config knows it
    name          TEXT NOT NULL,
    arn           TEXT NOT NULL,
    state_id      BIGINT NOT NULL,   -- of its newest item; 0 if none was ever recorded
    status        SMALLINT NOT NULL, -- 0 never recorded, 1 OK, 2 discovered, 3 not recorded, 4 deleted, 5 deleted not recorded
    digest        BLOB NOT NULL,     -- of what a new item is compared with
    pushed        BOOLEAN NOT NULL,  -- by PutResourceConfig: no collector will find it
    compliant     BIGINT NOT NULL,   -- how many rules say so
    non_compliant BIGINT NOT NULL,
    rollup        SMALLINT NOT NULL, -- of the two: 0 no rule says anything, 1 compliant, 2 non-compliant
    UNIQUE (type, place, external_id)
);
CREATE INDEX resource_live ON resource (type, place, external_id) WHERE status IN (1, 2, 3);
CREATE INDEX resource_name ON resource (type, place, name, external_id) WHERE name <> '';
CREATE INDEX resource_rollup ON resource (type, place, rollup, external_id) WHERE rollup > 0;

-- The newest items of live, recorded resources, in the event form, for queries. A table of its own: tallies change more often.
CREATE TABLE resource_body (
    resource INTEGER PRIMARY KEY,
    body     BLOB NOT NULL -- JSONB; the history has U+0000 where this has U+FFFD
);

-- The tags of the same items.
CREATE TABLE resource_tag (
    resource INTEGER NOT NULL,
    key      TEXT NOT NULL,
    value    TEXT NOT NULL,
    PRIMARY KEY (resource, key)
) WITHOUT ROWID;
CREATE INDEX resource_tag_value ON resource_tag (key, value, resource);

-- The relationships of the newest items, to find what leads to a resource.
CREATE TABLE relation (
    resource    INTEGER NOT NULL,
    place       INTEGER NOT NULL, -- of both
    target_type INTEGER NOT NULL,
    target      TEXT NOT NULL,    -- the target's id, or its name where the item has only that
    PRIMARY KEY (resource, target_type, target)
) WITHOUT ROWID;
CREATE INDEX relation_target ON relation (target_type, place, target, resource);

-- How many changes of a resource its service announced, and how many of them the newest observation of it followed: an older
-- observation says what the resource was, not what it is.
CREATE TABLE announcement (
    resource  INTEGER PRIMARY KEY,
    announced BIGINT NOT NULL,
    seen      BIGINT NOT NULL
);

CREATE TABLE recorder (
    place      INTEGER NOT NULL,
    name       TEXT NOT NULL,
    principal  TEXT NOT NULL, -- of a service-linked recorder; empty for the customer's
    definition TEXT NOT NULL,
    PRIMARY KEY (place, name)
);

CREATE TABLE recorder_status (
    place         INTEGER NOT NULL,
    name          TEXT NOT NULL,
    recording     BOOLEAN NOT NULL,
    last_status   TEXT NOT NULL,
    error_code    TEXT NOT NULL,
    error_message TEXT NOT NULL,
    started       BIGINT NOT NULL,
    stopped       BIGINT NOT NULL,
    changed       BIGINT NOT NULL,
    generation    BIGINT NOT NULL, -- counts starts
    PRIMARY KEY (place, name)
);

CREATE TABLE delivery_channel (
    place      INTEGER PRIMARY KEY,
    name       TEXT NOT NULL,
    definition TEXT NOT NULL
);

CREATE TABLE delivery_status (
    place         INTEGER NOT NULL,
    part          TEXT NOT NULL, -- snapshot, history or stream
    status        TEXT NOT NULL,
    error_code    TEXT NOT NULL,
    error_message TEXT NOT NULL,
    attempt       BIGINT NOT NULL,
    success       BIGINT NOT NULL,
    next          BIGINT NOT NULL,
    changed       BIGINT NOT NULL,
    through       BIGINT NOT NULL,
    PRIMARY KEY (place, part)
);

CREATE TABLE rule (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    place      INTEGER NOT NULL,
    name       TEXT NOT NULL,
    public_id  TEXT NOT NULL UNIQUE, -- ConfigRuleId
    definition TEXT NOT NULL,
    UNIQUE (place, name)
);
CREATE INDEX rule_name ON rule (name, place);

CREATE TABLE rule_status (
    rule                       INTEGER PRIMARY KEY,
    state                      TEXT NOT NULL,
    started                    BIGINT NOT NULL, -- when an evaluation was last asked for
    next_run                   BIGINT NOT NULL, -- when a periodic rule runs next; 0 if never
    last_successful_invocation BIGINT NOT NULL,
    last_failed_invocation     BIGINT NOT NULL,
    last_successful_evaluation BIGINT NOT NULL,
    last_failed_evaluation     BIGINT NOT NULL,
    first_activated            BIGINT NOT NULL,
    last_deactivated           BIGINT NOT NULL,
    error_code                 TEXT NOT NULL,
    error_message              TEXT NOT NULL,
    evaluation_started         BOOLEAN NOT NULL
);

-- Counts changes of a place's rules, so that a verdict reached on an older set is noticed.
CREATE TABLE rule_set (
    place   INTEGER PRIMARY KEY,
    version BIGINT NOT NULL
);

-- The newest result of a rule on a resource. 3 is kept, unseen by reads, so that an older result does not return.
CREATE TABLE verdict (
    resource   INTEGER NOT NULL,
    ordering   BIGINT NOT NULL,
    invoked    BIGINT NOT NULL,
    recorded   BIGINT NOT NULL,
    rule       INTEGER NOT NULL,
    compliance SMALLINT NOT NULL, -- 1 compliant, 2 non-compliant, 3 not applicable
    annotation TEXT,
    PRIMARY KEY (resource, rule)
) WITHOUT ROWID;
CREATE INDEX verdict_rule ON verdict (rule, compliance, resource);

-- What the in-process rules found on a resource last, as digests: a rule that finds the same again needs no look at its
-- verdict. It can be lost at any time.
CREATE TABLE verdict_digest (
    resource INTEGER PRIMARY KEY,
    digests  BLOB NOT NULL -- pairs: of the rule, of its result
);

-- How many verdicts of a rule there are. The rows of all shards are added up; each transaction adds to one.
CREATE TABLE rule_tally (
    rule          INTEGER NOT NULL,
    shard         SMALLINT NOT NULL,
    compliant     BIGINT NOT NULL,
    non_compliant BIGINT NOT NULL,
    PRIMARY KEY (rule, shard)
) WITHOUT ROWID;

-- How many resources of a type there are in a place: live and recorded, and by roll-up.
CREATE TABLE type_tally (
    place         INTEGER NOT NULL,
    type          INTEGER NOT NULL,
    shard         SMALLINT NOT NULL,
    live          BIGINT NOT NULL,
    compliant     BIGINT NOT NULL,
    non_compliant BIGINT NOT NULL,
    PRIMARY KEY (place, type, shard)
) WITHOUT ROWID;

-- The tags of objects of AWS Config: rules, recorders.
CREATE TABLE tag (
    place INTEGER NOT NULL,
    arn   TEXT NOT NULL,
    key   TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (place, arn, key)
) WITHOUT ROWID;

-- Keys that every server of this store shares, such as the one that seals result tokens.
CREATE TABLE secret (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
);

-- The servers that run jobs of this store, and when each was last alive by the database's own clock, in seconds.
CREATE TABLE job_server (
    name TEXT PRIMARY KEY,
    seen BIGINT NOT NULL
);
