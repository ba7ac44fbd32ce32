-- What the migrations add up to, in SQLite's spelling. Printed by: go test ./internal/db -run Schema -update

CREATE TABLE aggregation_authorization (
    place   INTEGER NOT NULL, -- that may be shown
    account TEXT NOT NULL,    -- whose aggregators may show it, and where
    region  TEXT NOT NULL,
    arn     TEXT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (place, account, region)
) WITHOUT ROWID;

CREATE TABLE aggregation_refusal (
    account TEXT NOT NULL, -- who asked
    region  TEXT NOT NULL,
    place   INTEGER NOT NULL,
    PRIMARY KEY (account, region, place)
) WITHOUT ROWID;

CREATE TABLE aggregation_source (
    aggregator INTEGER NOT NULL,
    account    TEXT NOT NULL,
    n          INTEGER NOT NULL, -- where it stands in the list that was put
    by_account TEXT NOT NULL,
    by_region  TEXT NOT NULL,
    PRIMARY KEY (aggregator, account)
) WITHOUT ROWID;

CREATE INDEX aggregation_source_account ON aggregation_source (account, by_account, by_region, aggregator);

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

CREATE TABLE alexa_skill (
    id          TEXT NOT NULL,
    manifest    TEXT NOT NULL,
    changed     BIGINT NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE announcement (
    resource  INTEGER PRIMARY KEY,
    announced BIGINT NOT NULL,
    seen      BIGINT NOT NULL
);

CREATE TABLE announcement_event (
    resource  BIGINT NOT NULL,
    announced BIGINT NOT NULL, -- the how manieth change of the resource it was
    event     TEXT NOT NULL,
    PRIMARY KEY (resource, announced)
) WITHOUT ROWID;

CREATE TABLE audit_delivery (
    id  BIGINT PRIMARY KEY, -- 1
    due BIGINT NOT NULL
);

CREATE TABLE audit_event (
    at         BIGINT NOT NULL,
    id         TEXT NOT NULL,
    account    TEXT NOT NULL, -- empty where nobody knows
    service    TEXT NOT NULL,
    operation  TEXT NOT NULL,
    principal  TEXT NOT NULL,
    user_name  TEXT NOT NULL,
    access_key TEXT NOT NULL,
    code       TEXT NOT NULL, -- of the error; empty if it was done
    waits      BOOLEAN NOT NULL, -- to be delivered in a file
    body       TEXT NOT NULL,
    PRIMARY KEY (at, id)
) WITHOUT ROWID;

CREATE INDEX audit_event_by_account ON audit_event (account, at, id);

CREATE INDEX audit_event_by_id ON audit_event (id);

CREATE INDEX audit_event_waits ON audit_event (account, at) WHERE waits;

CREATE TABLE audit_resource (
    at       BIGINT NOT NULL,
    id       TEXT NOT NULL,
    resource TEXT NOT NULL,
    PRIMARY KEY (at, id, resource)
) WITHOUT ROWID;

CREATE INDEX audit_resource_by_name ON audit_resource (resource, at);

CREATE TABLE automation_document (
    account  TEXT NOT NULL,
    region   TEXT NOT NULL,
    name     TEXT NOT NULL,
    version  INTEGER NOT NULL,
    preset   BOOLEAN NOT NULL, -- the default version
    format   TEXT NOT NULL,
    content  TEXT NOT NULL,
    created  BIGINT NOT NULL, kind TEXT NOT NULL DEFAULT 'Automation',
    PRIMARY KEY (account, region, name, version)
);

CREATE TABLE automation_execution (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    account  TEXT NOT NULL,
    region   TEXT NOT NULL,
    public_id TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL,
    version  TEXT NOT NULL,
    status   TEXT NOT NULL,
    started  BIGINT NOT NULL,
    ended    BIGINT NOT NULL, -- 0 while it goes on
    failure  TEXT NOT NULL,
    step     INTEGER NOT NULL, -- the number of the present one
    failing  BOOLEAN NOT NULL, -- a critical step failed, and the document goes on
    request  TEXT NOT NULL,    -- document, parameters, role and note
    vals     TEXT NOT NULL     -- parameters and outputs, by name
);

CREATE INDEX automation_execution_ended ON automation_execution (ended) WHERE ended > 0;

CREATE INDEX automation_execution_started ON automation_execution (account, region, started, id);

CREATE TABLE automation_step (
    execution BIGINT NOT NULL,
    number    INTEGER NOT NULL,
    name      TEXT NOT NULL,
    action    TEXT NOT NULL,
    status    TEXT NOT NULL,
    attempts  INTEGER NOT NULL,
    started   BIGINT NOT NULL,
    ended     BIGINT NOT NULL,
    failure   TEXT NOT NULL,
    body      TEXT NOT NULL, -- inputs, outputs and what a wait left
    PRIMARY KEY (execution, number)
);

CREATE TABLE blob_chunks (
	blob TEXT NOT NULL,
	number INTEGER NOT NULL,
	bytes BLOB NOT NULL,
	PRIMARY KEY (blob, number)
);

CREATE TABLE blobs (
	id TEXT PRIMARY KEY,
	begun BIGINT NOT NULL,
	whole BOOLEAN NOT NULL
) WITHOUT ROWID;

CREATE TABLE body (
    resource   BIGINT NOT NULL,
    state_id   BIGINT NOT NULL,   -- of the first item that has it
    coding     SMALLINT NOT NULL, -- 0 text, 1 zstd
    dictionary INTEGER NOT NULL,  -- that it was packed with; 0 is none
    content    BLOB NOT NULL,
    PRIMARY KEY (resource, state_id)
);

CREATE TABLE bucket_configurations (
  bucket TEXT NOT NULL,
  kind   TEXT NOT NULL,
  id     TEXT NOT NULL,
  body   TEXT NOT NULL,
  PRIMARY KEY (bucket, kind, id)
);

CREATE TABLE buckets (
  name       TEXT NOT NULL PRIMARY KEY,
  account    TEXT NOT NULL,
  region     TEXT NOT NULL,
  created    BIGINT NOT NULL,
  versioning TEXT NOT NULL
);

CREATE INDEX buckets_account ON buckets (account, name);

CREATE TABLE clock (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    ahead BIGINT NOT NULL,
    frozen BIGINT NOT NULL
);

CREATE TABLE cloudfront_distributions (
    account     TEXT NOT NULL,
    id          TEXT NOT NULL,
    reference   TEXT NOT NULL, -- of who made it
    domain      TEXT NOT NULL,
    etag        TEXT NOT NULL,
    modified    BIGINT NOT NULL,
    invalidated BIGINT NOT NULL, -- how many invalidations there were
    config      TEXT NOT NULL,
    tags        TEXT NOT NULL,
    PRIMARY KEY (id)
);

CREATE UNIQUE INDEX cloudfront_distributions_by_reference ON cloudfront_distributions (account, reference);

CREATE TABLE cloudfront_invalidations (
    distribution TEXT NOT NULL,
    id           TEXT NOT NULL,
    number       BIGINT NOT NULL,
    reference    TEXT NOT NULL,
    created      BIGINT NOT NULL,
    paths        TEXT NOT NULL,
    PRIMARY KEY (distribution, number)
);

CREATE TABLE cloudfront_names (
    name         TEXT NOT NULL, -- in lower case
    distribution TEXT NOT NULL,
    PRIMARY KEY (name)
);

CREATE INDEX cloudfront_names_by_distribution ON cloudfront_names (distribution);

CREATE TABLE codecommit_object (
    repository  TEXT NOT NULL,
    id          TEXT NOT NULL,
    kind        SMALLINT NOT NULL, -- as in packs: 1 commit, 2 tree, 3 blob, 4 tag
    size        BIGINT NOT NULL,   -- of the content
    content     BLOB NOT NULL,      -- compressed with zlib, as in packs
    PRIMARY KEY (repository, id)
);

CREATE TABLE codecommit_ref (
    repository  TEXT NOT NULL,
    name        TEXT NOT NULL, -- whole: refs/heads/main
    id          TEXT NOT NULL, -- of the object that it names
    target      TEXT NOT NULL, -- what that leads to through annotated tags: a commit as a rule
    PRIMARY KEY (repository, name)
);

CREATE TABLE codecommit_repository (
    id              TEXT NOT NULL,
    account         TEXT NOT NULL,
    region          TEXT NOT NULL,
    name            TEXT NOT NULL,
    description     TEXT NOT NULL,
    default_branch  TEXT NOT NULL, -- empty until there is a branch
    created         BIGINT NOT NULL,
    changed         BIGINT NOT NULL,
    definition      TEXT NOT NULL,
    PRIMARY KEY (id)
);

CREATE UNIQUE INDEX codecommit_repository_by_name ON codecommit_repository (account, region, name);

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

CREATE TABLE cognito_pool (
    id          TEXT NOT NULL,
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    created     BIGINT NOT NULL,
    definition  TEXT NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX cognito_pool_by_place ON cognito_pool (account, region, id);

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

CREATE TABLE cognito_trigger (
    pool        TEXT NOT NULL,
    function    TEXT NOT NULL,
    PRIMARY KEY (pool)
);

CREATE TABLE conformance_pack (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    place      INTEGER NOT NULL,
    name       TEXT NOT NULL,
    public_id  TEXT NOT NULL UNIQUE, -- ConformancePackId
    definition TEXT NOT NULL,
    state      TEXT NOT NULL,
    reason     TEXT NOT NULL,
    requested  BIGINT NOT NULL,
    completed  BIGINT NOT NULL,  -- 0 while it is in progress
    leaving    BOOLEAN NOT NULL, -- its rules were made; it waits for those that leave it
    UNIQUE (place, name)
);

CREATE TABLE conformance_pack_rule (
    rule     INTEGER PRIMARY KEY,
    pack     INTEGER NOT NULL,
    controls TEXT NOT NULL -- JSON
);

CREATE INDEX conformance_pack_rule_pack ON conformance_pack_rule (pack, rule);

CREATE TABLE conformance_pack_template (
    pack INTEGER PRIMARY KEY,
    body TEXT NOT NULL
);

CREATE TABLE connector (
    place   INTEGER NOT NULL,
    name    TEXT NOT NULL,
    tenant  TEXT NOT NULL,
    client  TEXT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (place, name),
    UNIQUE (place, tenant, client)
);

CREATE TABLE console_draft (
    name       TEXT PRIMARY KEY,
    account    TEXT NOT NULL, -- where it is tried
    region     TEXT NOT NULL,
    language   TEXT NOT NULL,
    text       TEXT NOT NULL, -- the rule itself
    types      TEXT NOT NULL, -- separated by spaces
    parameters TEXT NOT NULL, -- a JSON object, or nothing
    item       TEXT NOT NULL, -- what it is asked about, as somebody wrote it
    tests      TEXT NOT NULL, -- JSON
    answer     TEXT NOT NULL, -- JSON: what it said last; empty before
    changed    BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE console_session (
    id         TEXT PRIMARY KEY, -- the digest of what the browser has
    access_key TEXT NOT NULL,    -- whose account is shown, as long as the settings have the key
    expires    BIGINT NOT NULL
, subject TEXT NOT NULL DEFAULT '', grants TEXT NOT NULL DEFAULT '', account TEXT NOT NULL DEFAULT '') WITHOUT ROWID;

CREATE INDEX console_session_expires ON console_session (expires);

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

CREATE TABLE dictionary (
    id      INTEGER PRIMARY KEY, -- drawn
    type    TEXT NOT NULL,
    version INTEGER NOT NULL, -- the highest is used for new bodies
    samples INTEGER NOT NULL, -- how many bodies it was made from
    made    BIGINT NOT NULL,  -- the state id of the newest of them
    content BLOB NOT NULL,
    UNIQUE (type, version)
);

CREATE TABLE event_buses (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    name        TEXT NOT NULL,
    created     BIGINT NOT NULL,
    changed     BIGINT NOT NULL,
    definition  TEXT NOT NULL, -- description, key, dead letters, logging
    policy      TEXT NOT NULL, -- JSON, or empty
    tags        TEXT NOT NULL,
    PRIMARY KEY (account, region, name)
);

CREATE TABLE event_rules (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    bus         TEXT NOT NULL,
    name        TEXT NOT NULL,
    pattern     TEXT NOT NULL, -- JSON, or empty
    schedule    TEXT NOT NULL, -- an expression, or empty
    enabled     BOOLEAN NOT NULL,
    due         BIGINT NOT NULL, -- when the schedule is due next; 0 if never
    since       BIGINT NOT NULL, -- what a rate counts from
    definition  TEXT NOT NULL,   -- state, description, role
    tags        TEXT NOT NULL,
    PRIMARY KEY (account, region, bus, name)
);

CREATE INDEX event_rules_routing ON event_rules (account, region, bus) WHERE enabled AND pattern <> '';

CREATE TABLE event_targets (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    bus         TEXT NOT NULL,
    rule        TEXT NOT NULL,
    id          TEXT NOT NULL,
    arn         TEXT NOT NULL,
    definition  TEXT NOT NULL,
    PRIMARY KEY (account, region, bus, rule, id)
);

CREATE INDEX event_targets_arn ON event_targets (account, region, bus, arn, rule);

CREATE TABLE firehose_buffers (
    id       TEXT NOT NULL,
    stream   TEXT NOT NULL,
    kind     TEXT NOT NULL,
    opened   BIGINT NOT NULL, -- when its first record arrived
    records  BIGINT NOT NULL,
    bytes    BIGINT NOT NULL,
    weight   BIGINT NOT NULL, -- bytes of an event with them
    state    TEXT NOT NULL, -- open, full, timed
    attempts BIGINT NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX firehose_buffers_by_stream ON firehose_buffers (stream, kind, state);

CREATE TABLE firehose_records (
    buffer  TEXT NOT NULL,
    seq     BIGINT NOT NULL,
    arrived BIGINT NOT NULL,
    data    BLOB NOT NULL,
    PRIMARY KEY (buffer, seq)
);

CREATE TABLE firehose_streams (
    id         TEXT NOT NULL,
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    name       TEXT NOT NULL,
    created    BIGINT NOT NULL,
    updated    BIGINT NOT NULL, -- 0 if never
    version    BIGINT NOT NULL,
    definition TEXT NOT NULL,
    PRIMARY KEY (account, region, name)
);

CREATE UNIQUE INDEX firehose_streams_by_id ON firehose_streams (id);

CREATE TABLE gateway_api (
    id         TEXT NOT NULL, -- the first label of its host
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    kind       TEXT NOT NULL, -- HTTP or REST
    created    BIGINT NOT NULL,
    definition TEXT NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX gateway_api_place ON gateway_api (account, region, kind, id);

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

CREATE TABLE gateway_deployment (
    api        TEXT NOT NULL,
    id         TEXT NOT NULL,
    created    BIGINT NOT NULL,
    automatic  SMALLINT NOT NULL, -- 1 if a change made it
    about      TEXT NOT NULL,
    definition TEXT NOT NULL,
    PRIMARY KEY (api, id)
);

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

CREATE TABLE gateway_plan_key (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    plan    TEXT NOT NULL,
    key     TEXT NOT NULL,
    PRIMARY KEY (account, region, plan, key)
);

CREATE INDEX gateway_plan_key_key ON gateway_plan_key (account, region, key);

CREATE TABLE gateway_stage (
    api        TEXT NOT NULL,
    name       TEXT NOT NULL,
    deployment TEXT NOT NULL, -- empty while there is none
    flushed    BIGINT NOT NULL, -- counts how often the answers of authorizers were forgotten
    settings   TEXT NOT NULL,
    PRIMARY KEY (api, name)
);

CREATE TABLE gateway_usage (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    plan    TEXT NOT NULL,
    key     TEXT NOT NULL,
    day     TEXT NOT NULL, -- 2026-01-31
    used    BIGINT NOT NULL, -- requests
    PRIMARY KEY (account, region, plan, key, day)
);

CREATE TABLE gateway_usage_plan (
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    id         TEXT NOT NULL,
    created    BIGINT NOT NULL,
    definition TEXT NOT NULL,
    PRIMARY KEY (account, region, id)
);

CREATE TABLE identity (
    account TEXT NOT NULL,
    kind    TEXT NOT NULL,        -- role, user, group, policy, instance-profile
    folded  TEXT NOT NULL,        -- the name in lower case
    id      TEXT NOT NULL UNIQUE, -- AROA..., AIDA...
    path    TEXT NOT NULL,
    bounded TEXT NOT NULL,        -- by the policy of this ARN; empty if by none
    body    TEXT NOT NULL,        -- JSON
    PRIMARY KEY (account, kind, folded)
) WITHOUT ROWID;

CREATE INDEX identity_bounded ON identity (account, bounded);

CREATE TABLE identity_account (
    account  TEXT PRIMARY KEY,
    revision BIGINT NOT NULL, -- grows with every change of the account's identities
    alias    TEXT UNIQUE,
    password TEXT NOT NULL    -- the password policy, JSON; empty if there is none
) WITHOUT ROWID;

CREATE TABLE identity_attachment (
    account TEXT NOT NULL,
    kind    TEXT NOT NULL, -- of the owner
    owner   TEXT NOT NULL, -- its name in lower case
    policy  TEXT NOT NULL, -- the ARN
    PRIMARY KEY (account, kind, owner, policy)
) WITHOUT ROWID;

CREATE INDEX identity_attachment_policy ON identity_attachment (account, policy, kind, owner);

CREATE TABLE identity_inline (
    account  TEXT NOT NULL,
    kind     TEXT NOT NULL, -- of the owner
    owner    TEXT NOT NULL, -- its name in lower case
    name     TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (account, kind, owner, name)
) WITHOUT ROWID;

CREATE TABLE identity_key (
    id      TEXT PRIMARY KEY, -- AKIA...
    account TEXT NOT NULL,
    owner   TEXT NOT NULL,    -- the user's name in lower case
    secret  TEXT NOT NULL,
    active  BOOLEAN NOT NULL,
    created BIGINT NOT NULL,
    used    BIGINT NOT NULL,  -- 0 if never
    region  TEXT NOT NULL,    -- where it was used
    service TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX identity_key_owner ON identity_key (account, owner, id);

CREATE TABLE identity_member (
    account TEXT NOT NULL,
    kind    TEXT NOT NULL, -- group, which has users, or instance-profile, which has a role
    owner   TEXT NOT NULL, -- its name in lower case
    member  TEXT NOT NULL, -- that of the user or role
    PRIMARY KEY (account, kind, owner, member)
) WITHOUT ROWID;

CREATE INDEX identity_member_of ON identity_member (account, kind, member, owner);

CREATE TABLE identity_version (
    account  TEXT NOT NULL,
    policy   TEXT NOT NULL, -- its name in lower case
    number   BIGINT NOT NULL,
    document TEXT NOT NULL,
    created  BIGINT NOT NULL,
    PRIMARY KEY (account, policy, number)
) WITHOUT ROWID;

CREATE TABLE import_file (
    source   TEXT NOT NULL,    -- the folder or bucket and prefix
    name     TEXT NOT NULL,    -- of the file in it
    version  TEXT NOT NULL,    -- of its content, and of what was asked of it
    position BIGINT NOT NULL,  -- how many of its items were looked at
    done     BOOLEAN NOT NULL,
    unread   BIGINT NOT NULL,  -- how many could not be read
    problems TEXT NOT NULL,    -- the first of them, as JSON
    PRIMARY KEY (source, name)
) WITHOUT ROWID;

CREATE TABLE import_place (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    PRIMARY KEY (account, region)
) WITHOUT ROWID;

CREATE TABLE iot_endpoints (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    PRIMARY KEY (account, region)
);

CREATE TABLE iot_retained (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    topic       TEXT NOT NULL,
    qos         BIGINT NOT NULL,
    changed     BIGINT NOT NULL,
    size        BIGINT NOT NULL,
    payload     BLOB NOT NULL,
    PRIMARY KEY (account, region, topic)
);

CREATE TABLE iot_rules (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    name        TEXT NOT NULL,
    filter      TEXT NOT NULL, -- of topics; empty for a rule that has none
    enabled     BOOLEAN NOT NULL,
    created     BIGINT NOT NULL,
    definition  TEXT NOT NULL,
    PRIMARY KEY (account, region, name)
);

CREATE TABLE iot_things (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    name        TEXT NOT NULL,
    id          TEXT NOT NULL,
    version     BIGINT NOT NULL,
    attributes  TEXT NOT NULL, -- a map in JSON
    PRIMARY KEY (account, region, name)
);

CREATE TABLE item (
    resource  BIGINT NOT NULL,
    state_id  BIGINT NOT NULL,
    previous  BIGINT NOT NULL,   -- the item before it, 0 if it is the first; in a reference row the item that it stands for
    body      BIGINT NOT NULL,   -- 0 if the body is kept with this item; else the earlier item whose body is the same
    status    SMALLINT NOT NULL, -- as in resource
    reference BOOLEAN NOT NULL,  -- no item, but what was true when the month began
    PRIMARY KEY (resource, state_id)
) WITHOUT ROWID;

CREATE INDEX item_by_time ON item (state_id, resource) WHERE NOT reference;

CREATE TABLE item_month (
    month   INTEGER PRIMARY KEY,  -- 202611
    carried BIGINT NOT NULL,      -- the last resource that has its reference row, or -1: all have theirs
    dropped BOOLEAN NOT NULL      -- nobody reads it any more; the table goes next
);

CREATE TABLE job_server (
    name TEXT PRIMARY KEY,
    seen BIGINT NOT NULL
);

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

CREATE TABLE lambda_code (
    sha  TEXT PRIMARY KEY,
    size BIGINT NOT NULL,
    zip  BLOB NOT NULL
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

CREATE TABLE lambda_key (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
);

CREATE TABLE lambda_policy (
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    name       TEXT NOT NULL,
    qualifier  TEXT NOT NULL,
    statements TEXT NOT NULL,
    revision   TEXT NOT NULL,
    PRIMARY KEY (account, region, name, qualifier)
);

CREATE TABLE lambda_url (
    id        TEXT NOT NULL, -- the first label of its host
    account   TEXT NOT NULL,
    region    TEXT NOT NULL,
    name      TEXT NOT NULL, -- of the function
    qualifier TEXT NOT NULL, -- an alias, or empty
    created   BIGINT NOT NULL,
    modified  BIGINT NOT NULL,
    settings  TEXT NOT NULL,
    PRIMARY KEY (id)
);

CREATE UNIQUE INDEX lambda_url_function ON lambda_url (account, region, name, qualifier);

CREATE TABLE lex_resources (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    bot         TEXT NOT NULL,
    kind        TEXT NOT NULL, -- bot, version, alias, locale, intent, slot or slot type
    version     TEXT NOT NULL, -- of the bot; empty for bots, versions and aliases
    locale      TEXT NOT NULL, -- empty for what is of no language
    intent      TEXT NOT NULL, -- of a slot; empty for all else
    id          TEXT NOT NULL,
    name        TEXT NOT NULL,
    created     BIGINT NOT NULL,
    changed     BIGINT NOT NULL,
    built       BIGINT NOT NULL, -- a locale; 0 for one that was not
    definition  TEXT NOT NULL,
    PRIMARY KEY (account, region, bot, kind, version, locale, intent, id)
);

CREATE TABLE lex_sessions (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    bot         TEXT NOT NULL,
    alias       TEXT NOT NULL,
    locale      TEXT NOT NULL,
    id          TEXT NOT NULL,
    turn        BIGINT NOT NULL,
    expires     BIGINT NOT NULL,
    state       TEXT NOT NULL,
    PRIMARY KEY (account, region, bot, alias, locale, id)
);

CREATE TABLE lex_v1 (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    kind        TEXT NOT NULL, -- bot, alias, intent or slot type
    bot         TEXT NOT NULL, -- of an alias; empty for all else
    name        TEXT NOT NULL,
    version     BIGINT NOT NULL, -- 0 for the one that is being worked on
    created     BIGINT NOT NULL,
    changed     BIGINT NOT NULL,
    definition  TEXT NOT NULL,
    PRIMARY KEY (account, region, kind, bot, name, version)
);

CREATE TABLE log_events (
  log_group BIGINT NOT NULL,
  time      BIGINT NOT NULL,
  seq       BIGINT NOT NULL,
  stream    BIGINT NOT NULL,
  ingested  BIGINT NOT NULL,
  size      INTEGER NOT NULL,
  message   TEXT NOT NULL,
  PRIMARY KEY (log_group, time, seq)
);

CREATE INDEX log_events_stream ON log_events (stream, time, seq);

CREATE TABLE log_groups (
  account   TEXT NOT NULL,
  region    TEXT NOT NULL,
  name      TEXT NOT NULL,
  id        BIGINT NOT NULL,
  created   BIGINT NOT NULL,
  retention INTEGER NOT NULL,
  tags      TEXT NOT NULL,
  seq       BIGINT NOT NULL,
  bytes     BIGINT NOT NULL,
  PRIMARY KEY (account, region, name)
);

CREATE UNIQUE INDEX log_groups_id ON log_groups (id);

CREATE TABLE log_streams (
  log_group BIGINT NOT NULL,
  name      TEXT NOT NULL,
  id        BIGINT NOT NULL,
  created   BIGINT NOT NULL,
  first     BIGINT NOT NULL,
  last      BIGINT NOT NULL,
  ingested  BIGINT NOT NULL,
  PRIMARY KEY (log_group, name)
);

CREATE UNIQUE INDEX log_streams_id ON log_streams (id);

CREATE INDEX log_streams_last ON log_streams (log_group, last, name);

CREATE TABLE log_subscriptions (
    account      TEXT NOT NULL,
    region       TEXT NOT NULL,
    log_group    TEXT NOT NULL, -- its name
    name         TEXT NOT NULL,
    pattern      TEXT NOT NULL,
    destination  TEXT NOT NULL, -- ARN
    distribution TEXT NOT NULL,
    created      BIGINT NOT NULL,
    PRIMARY KEY (account, region, log_group, name)
);

CREATE TABLE noticed_call (
    place   INTEGER NOT NULL,
    name    TEXT NOT NULL, -- an id, a name or an ARN
    event   TEXT NOT NULL,
    service TEXT NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (place, name, event)
) WITHOUT ROWID;

CREATE INDEX noticed_call_by_time ON noticed_call (place, at);

CREATE TABLE object_blobs (
  blob     TEXT NOT NULL PRIMARY KEY,
  owner    TEXT NOT NULL,
  number   INTEGER NOT NULL,
  size     BIGINT NOT NULL,
  etag     TEXT NOT NULL,
  checksum TEXT NOT NULL,
  modified BIGINT NOT NULL
);

CREATE UNIQUE INDEX object_blobs_owner ON object_blobs (owner, number);

CREATE TABLE object_trash (
  blob TEXT NOT NULL PRIMARY KEY,
  at   BIGINT NOT NULL
);

CREATE INDEX object_trash_at ON object_trash (at);

CREATE TABLE object_uploads (
  id      TEXT NOT NULL PRIMARY KEY,
  bucket  TEXT NOT NULL,
  key     TEXT NOT NULL,
  started BIGINT NOT NULL,
  meta    TEXT NOT NULL
);

CREATE INDEX object_uploads_key ON object_uploads (bucket, key, started);

CREATE TABLE objects (
  bucket   TEXT NOT NULL,
  key      TEXT NOT NULL,
  seq      BIGINT NOT NULL,
  version  TEXT NOT NULL,
  latest   BOOLEAN NOT NULL,
  marker   BOOLEAN NOT NULL,
  size     BIGINT NOT NULL,
  etag     TEXT NOT NULL,
  modified BIGINT NOT NULL,
  data     TEXT NOT NULL,
  meta     TEXT NOT NULL,
  PRIMARY KEY (bucket, key, version)
);

CREATE INDEX objects_current ON objects (bucket, key) WHERE latest AND NOT marker;

CREATE UNIQUE INDEX objects_history ON objects (bucket, key, seq DESC);

CREATE UNIQUE INDEX objects_latest ON objects (bucket, key) WHERE latest;

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

CREATE TABLE organization_creation (
    organization TEXT NOT NULL,
    id           TEXT NOT NULL,
    account      TEXT NOT NULL,
    name         TEXT NOT NULL,
    at           BIGINT NOT NULL,
    PRIMARY KEY (organization, id)
) WITHOUT ROWID;

CREATE TABLE organization_delegate (
    organization TEXT NOT NULL,
    account      TEXT NOT NULL, -- that administers the service for all accounts
    principal    TEXT NOT NULL,
    enabled      BIGINT NOT NULL,
    PRIMARY KEY (organization, account, principal)
) WITHOUT ROWID;

CREATE TABLE organization_deployment (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    place      INTEGER NOT NULL,    -- whose it is
    kind       TEXT NOT NULL,       -- rule or pack
    name       TEXT NOT NULL,
    arn        TEXT NOT NULL UNIQUE,
    definition TEXT NOT NULL,
    operation  TEXT NOT NULL,
    spreading  BOOLEAN NOT NULL,    -- not every member was looked at
    generation BIGINT NOT NULL,     -- counts definitions
    updated    BIGINT NOT NULL,
    UNIQUE (place, kind, name)
);

CREATE TABLE organization_deployment_member (
    deployment INTEGER NOT NULL,
    account    TEXT NOT NULL,
    operation  TEXT NOT NULL,
    progress   TEXT NOT NULL,
    code       TEXT NOT NULL,
    message    TEXT NOT NULL,
    since      BIGINT NOT NULL,
    updated    BIGINT NOT NULL,
    handed     BIGINT NOT NULL, -- the generation that the account's pack was last put with
    PRIMARY KEY (deployment, account)
) WITHOUT ROWID;

CREATE INDEX organization_deployment_member_account ON organization_deployment_member (account, deployment);

CREATE INDEX organization_deployment_member_progress ON organization_deployment_member (deployment, progress, code);

CREATE TABLE organization_deployment_template (
    deployment INTEGER PRIMARY KEY,
    body       TEXT NOT NULL
);

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

CREATE TABLE organization_tag (
    organization TEXT NOT NULL,
    resource     TEXT NOT NULL, -- an account, a unit or the root
    key          TEXT NOT NULL,
    value        TEXT NOT NULL,
    PRIMARY KEY (organization, resource, key)
) WITHOUT ROWID;

CREATE TABLE organization_unit (
    organization TEXT NOT NULL,
    id           TEXT NOT NULL,
    parent       TEXT NOT NULL,
    name         TEXT NOT NULL,
    PRIMARY KEY (organization, id),
    UNIQUE (organization, parent, name)
) WITHOUT ROWID;

CREATE INDEX organization_unit_parent ON organization_unit (organization, parent, id);

CREATE TABLE outbox_lane (
    place   INTEGER NOT NULL,
    sink    TEXT NOT NULL,
    holder  BIGINT NOT NULL,
    down    INTEGER NOT NULL,
    next    BIGINT NOT NULL,
    tries   INTEGER NOT NULL,
    PRIMARY KEY (place, sink)
) WITHOUT ROWID;

CREATE TABLE outbox_message (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    place   INTEGER NOT NULL,
    sink    TEXT NOT NULL,
    state   INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    type    TEXT NOT NULL,
    subject TEXT NOT NULL,
    args    TEXT NOT NULL,
    count   INTEGER NOT NULL,
    created BIGINT NOT NULL,
    since   BIGINT NOT NULL,
    due     BIGINT NOT NULL,
    tries   INTEGER NOT NULL,
    tried   BIGINT NOT NULL,
    error   TEXT NOT NULL
);

CREATE INDEX outbox_message_held ON outbox_message (place, sink, type, subject, id) WHERE state = 2;

CREATE INDEX outbox_message_lane ON outbox_message (place, sink, state, id);

CREATE INDEX outbox_message_old ON outbox_message (since) WHERE state = 3;

CREATE INDEX outbox_message_undelivered ON outbox_message (id) WHERE state = 3;

CREATE TABLE outside_plan (
    id INTEGER PRIMARY KEY CHECK (id = 1)
);

CREATE TABLE outside_source (
    place     INTEGER PRIMARY KEY,
    began     BIGINT NOT NULL, -- the reading that goes on; 0 if none does
    succeeded BIGINT NOT NULL, -- the last one that did; 0 if none
    code      TEXT NOT NULL,   -- why the last one failed; empty if it did not
    message   TEXT NOT NULL
);

CREATE TABLE place (
    id      INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    UNIQUE (account, region)
);

CREATE TABLE plumb_migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL);

CREATE TABLE queue_deduplications (
  queue    BIGINT NOT NULL,
  scope    TEXT NOT NULL,
  id       TEXT NOT NULL,
  message  TEXT NOT NULL,
  seq      BIGINT NOT NULL,
  expires  BIGINT NOT NULL,
  PRIMARY KEY (queue, scope, id)
);

CREATE TABLE queue_messages (
  queue    BIGINT NOT NULL,
  seq      BIGINT NOT NULL,
  id       TEXT NOT NULL,
  body     TEXT NOT NULL,
  message  TEXT NOT NULL,
  sent     BIGINT NOT NULL,
  visible  BIGINT NOT NULL,
  expires  BIGINT NOT NULL,
  received INTEGER NOT NULL,
  first    BIGINT NOT NULL,
  receipt  TEXT NOT NULL,
  grouping TEXT NOT NULL,
  PRIMARY KEY (queue, seq)
);

CREATE INDEX queue_messages_expires ON queue_messages (queue, expires);

CREATE INDEX queue_messages_group ON queue_messages (queue, grouping, seq) WHERE grouping <> '';

CREATE INDEX queue_messages_visible ON queue_messages (queue, visible);

CREATE TABLE queue_moves (
  queue       BIGINT NOT NULL,
  number      BIGINT NOT NULL,
  id          TEXT NOT NULL,
  destination TEXT NOT NULL, -- an ARN; empty is where each message came from
  rate        INTEGER NOT NULL, -- messages a second; 0 is no limit
  status      TEXT NOT NULL,
  moved       BIGINT NOT NULL,
  total       BIGINT NOT NULL, -- messages to move, as counted at the start
  failure     TEXT NOT NULL,
  started     BIGINT NOT NULL,
  last        BIGINT NOT NULL, -- the seq of the last message to move
  PRIMARY KEY (queue, number)
) WITHOUT ROWID;

CREATE TABLE queues (
  account    TEXT NOT NULL,
  region     TEXT NOT NULL,
  name       TEXT NOT NULL,
  id         BIGINT NOT NULL,
  created    BIGINT NOT NULL,
  modified   BIGINT NOT NULL,
  attributes TEXT NOT NULL,
  tags       TEXT NOT NULL,
  PRIMARY KEY (account, region, name)
);

CREATE UNIQUE INDEX queues_id ON queues (id);

CREATE TABLE reading (
    place     INTEGER NOT NULL,
    type      INTEGER NOT NULL,
    token     BIGINT NOT NULL,  -- of the reading that is under way, which its job carries; 0 if none is
    asked     BIGINT NOT NULL,  -- when its job was inserted; 0 while it waits for others
    late      BOOLEAN NOT NULL, -- it waits for all others
    inventory BOOLEAN NOT NULL, -- the first complete reading since the recorder started is still to come
    completed BIGINT NOT NULL,  -- when the last complete reading began; 0 if never
    failing   BIGINT NOT NULL,  -- since when readings fail; 0 if the last one did not
    code      TEXT NOT NULL,    -- of the failure
    message   TEXT NOT NULL,
    PRIMARY KEY (place, type)
) WITHOUT ROWID;

CREATE TABLE recorder (
    place      INTEGER NOT NULL,
    name       TEXT NOT NULL,
    principal  TEXT NOT NULL, -- of a service-linked recorder; empty for the customer's
    definition TEXT NOT NULL,
    PRIMARY KEY (place, name)
);

CREATE TABLE recorder_poll (
    place      INTEGER PRIMARY KEY,
    generation BIGINT NOT NULL,
    due        BIGINT NOT NULL
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

CREATE TABLE relation (
    resource    INTEGER NOT NULL,
    place       INTEGER NOT NULL, -- of both
    target_type INTEGER NOT NULL,
    target      TEXT NOT NULL,    -- the target's id, or its name where the item has only that
    PRIMARY KEY (resource, target_type, target)
) WITHOUT ROWID;

CREATE INDEX relation_target ON relation (target_type, place, target, resource);

CREATE TABLE remediation (
    place      INTEGER NOT NULL,
    rule       TEXT NOT NULL, -- its name
    automatic  BOOLEAN NOT NULL,
    definition TEXT NOT NULL,
    PRIMARY KEY (place, rule)
);

CREATE TABLE remediation_exception (
    place   INTEGER NOT NULL,
    rule    TEXT NOT NULL,
    type    TEXT NOT NULL,
    id      TEXT NOT NULL,
    message TEXT NOT NULL,
    expires BIGINT NOT NULL, -- 0: never
    PRIMARY KEY (place, rule, type, id)
);

CREATE TABLE remediation_execution (
    place     INTEGER NOT NULL,
    rule      TEXT NOT NULL,
    type      TEXT NOT NULL,
    id        TEXT NOT NULL,
    state     TEXT NOT NULL,
    execution TEXT NOT NULL,
    automatic BOOLEAN NOT NULL,
    attempts  INTEGER NOT NULL,
    first     BIGINT NOT NULL,
    wave      BIGINT NOT NULL,
    invoked   BIGINT NOT NULL,
    updated   BIGINT NOT NULL,
    steps     TEXT NOT NULL,
    PRIMARY KEY (place, rule, type, id)
);

CREATE INDEX remediation_execution_state ON remediation_execution (place, rule, state, wave, type, id);

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
    rollup        SMALLINT NOT NULL, body BIGINT NOT NULL DEFAULT 0, body_digest BLOB, -- of the two: 0 no rule says anything, 1 compliant, 2 non-compliant
    UNIQUE (type, place, external_id)
);

CREATE INDEX resource_arn ON resource (arn) WHERE arn <> '';

CREATE INDEX resource_gone ON resource (place, state_id) WHERE status IN (4, 5);

CREATE INDEX resource_live ON resource (type, place, external_id) WHERE status IN (1, 2, 3);

CREATE INDEX resource_name ON resource (type, place, name, external_id) WHERE name <> '';

CREATE INDEX resource_rollup ON resource (type, place, rollup, external_id) WHERE rollup > 0;

CREATE TABLE resource_body (
    resource INTEGER PRIMARY KEY,
    body     BLOB NOT NULL -- JSONB; the history has U+0000 where this has U+FFFD
);

CREATE TABLE resource_evaluation (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    place      INTEGER NOT NULL,
    public_id  TEXT NOT NULL UNIQUE, -- ResourceEvaluationId
    token      TEXT, -- the caller's; NULL if there was none
    context    TEXT NOT NULL,
    started    BIGINT NOT NULL,
    status     TEXT NOT NULL,
    reason     TEXT NOT NULL,
    compliance TEXT NOT NULL,
    request    TEXT NOT NULL,
    UNIQUE (place, token)
);

CREATE INDEX resource_evaluation_started ON resource_evaluation (place, started, id);

CREATE TABLE resource_evaluation_rule (
    evaluation BIGINT NOT NULL,
    name       TEXT NOT NULL,
    rule       TEXT NOT NULL, -- ConfigRuleId
    compliance TEXT NOT NULL, -- empty until it answers
    annotation TEXT NOT NULL,
    failure    TEXT NOT NULL,
    ordering   BIGINT NOT NULL,
    invoked    BIGINT NOT NULL,
    recorded   BIGINT NOT NULL,
    PRIMARY KEY (evaluation, name)
);

CREATE TABLE resource_tag (
    resource INTEGER NOT NULL,
    key      TEXT NOT NULL,
    value    TEXT NOT NULL,
    PRIMARY KEY (resource, key)
) WITHOUT ROWID;

CREATE INDEX resource_tag_value ON resource_tag (key, value, resource);

CREATE TABLE resource_type (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

CREATE TABLE retention (
    place   INTEGER PRIMARY KEY,
    name    TEXT NOT NULL,
    days    INTEGER NOT NULL,
    expired BIGINT NOT NULL -- items of before this state id were deleted
);

CREATE TABLE retention_run (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    next BIGINT NOT NULL
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

CREATE TABLE rule_failure (
    rule    INTEGER NOT NULL,
    type    TEXT NOT NULL,
    id      TEXT NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (rule, type, id)
) WITHOUT ROWID;

CREATE TABLE rule_set (
    place   INTEGER PRIMARY KEY,
    version BIGINT NOT NULL
);

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

CREATE TABLE rule_tally (
    rule          INTEGER NOT NULL,
    shard         SMALLINT NOT NULL,
    compliant     BIGINT NOT NULL,
    non_compliant BIGINT NOT NULL,
    PRIMARY KEY (rule, shard)
) WITHOUT ROWID;

CREATE TABLE schedule_groups (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    name        TEXT NOT NULL,
    created     BIGINT NOT NULL,
    changed     BIGINT NOT NULL,
    tags        TEXT NOT NULL,
    PRIMARY KEY (account, region, name)
);

CREATE TABLE schedules (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    grouping    TEXT NOT NULL,
    name        TEXT NOT NULL,
    state       TEXT NOT NULL,
    created     BIGINT NOT NULL,
    changed     BIGINT NOT NULL,
    due         BIGINT NOT NULL, -- the time of the expression that comes next; 0 if none
    definition  TEXT NOT NULL,
    PRIMARY KEY (account, region, grouping, name)
);

CREATE TABLE score (
    place         INTEGER NOT NULL,
    day           INTEGER NOT NULL, -- 20261129
    live          BIGINT NOT NULL,
    compliant     BIGINT NOT NULL,
    non_compliant BIGINT NOT NULL,
    PRIMARY KEY (place, day)
) WITHOUT ROWID;

CREATE TABLE secret (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
);

CREATE TABLE ses_filters (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    name        TEXT NOT NULL,
    allow       BOOLEAN NOT NULL,
    cidr        TEXT NOT NULL,
    PRIMARY KEY (account, region, name)
);

CREATE TABLE ses_identities (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    identity    TEXT NOT NULL,
    token       TEXT NOT NULL,
    created     BIGINT NOT NULL,
    PRIMARY KEY (account, region, identity)
);

CREATE TABLE ses_mails (
    id          TEXT PRIMARY KEY,
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    state       TEXT NOT NULL,
    body        BLOB NOT NULL
);

CREATE TABLE ses_rule_sets (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    name        TEXT NOT NULL,
    created     BIGINT NOT NULL,
    active      BOOLEAN NOT NULL,
    PRIMARY KEY (account, region, name)
);

CREATE INDEX ses_rule_sets_active ON ses_rule_sets (account, region) WHERE active;

CREATE TABLE ses_rules (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    rule_set    TEXT NOT NULL,
    name        TEXT NOT NULL,
    position    BIGINT NOT NULL,
    definition  TEXT NOT NULL,
    PRIMARY KEY (account, region, rule_set, name)
);

CREATE TABLE source_mapping (
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    id         TEXT NOT NULL, -- its UUID
    source     TEXT NOT NULL, -- ARN
    function   TEXT NOT NULL, -- ARN, with a qualifier if there is one
    state      TEXT NOT NULL,
    modified   BIGINT NOT NULL,
    result     TEXT NOT NULL, -- of the last batch
    definition TEXT NOT NULL,
    PRIMARY KEY (account, region, id)
);

CREATE INDEX source_mapping_function ON source_mapping (function);

CREATE INDEX source_mapping_source ON source_mapping (source);

CREATE TABLE source_shard (
    mapping  TEXT NOT NULL,
    shard    TEXT NOT NULL,
    round    BIGINT NOT NULL, -- of polling
    job      BIGINT NOT NULL, -- that reads it
    done     BOOLEAN NOT NULL,
    progress TEXT NOT NULL,
    PRIMARY KEY (mapping, shard)
);

CREATE TABLE source_slot (
    mapping TEXT NOT NULL,
    job     BIGINT NOT NULL,
    PRIMARY KEY (mapping, job)
);

CREATE TABLE source_wake (
    mapping TEXT NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (mapping, at)
);

CREATE TABLE stack (
    id      TEXT PRIMARY KEY, -- its ARN
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    name    TEXT NOT NULL,
    live    BOOLEAN NOT NULL, -- false once it was deleted: its name is free
    status  TEXT NOT NULL,
    parent  TEXT NOT NULL, -- the stack that it is nested in, or nothing
    created BIGINT NOT NULL,
    body    TEXT NOT NULL
);

CREATE INDEX stack_listed ON stack (account, region, created, id);

CREATE UNIQUE INDEX stack_name ON stack (account, region, name) WHERE live;

CREATE TABLE stack_answer (
    secret     TEXT PRIMARY KEY, -- the hash of what ends the address
    stack      TEXT NOT NULL,
    id         TEXT NOT NULL, -- of the resource
    generation INTEGER NOT NULL,
    mark       TEXT NOT NULL, -- of the operation
    token      TEXT NOT NULL -- of the attempt
);

CREATE INDEX stack_answer_stack ON stack_answer (stack, token);

CREATE TABLE stack_change_set (
    id      TEXT PRIMARY KEY, -- its ARN
    stack   TEXT NOT NULL,
    name    TEXT NOT NULL,
    created BIGINT NOT NULL,
    body    TEXT NOT NULL
);

CREATE UNIQUE INDEX stack_change_set_name ON stack_change_set (stack, name);

CREATE TABLE stack_event (
    stack TEXT NOT NULL,
    seq   BIGINT NOT NULL,
    id    TEXT NOT NULL,
    at    BIGINT NOT NULL,
    body  TEXT NOT NULL,
    PRIMARY KEY (stack, seq)
);

CREATE TABLE stack_export (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    name    TEXT NOT NULL,
    stack   TEXT NOT NULL,
    value   TEXT NOT NULL,
    PRIMARY KEY (account, region, name)
);

CREATE INDEX stack_export_stack ON stack_export (stack);

CREATE TABLE stack_import (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    name    TEXT NOT NULL, -- of the export
    stack   TEXT NOT NULL, -- that imports it
    PRIMARY KEY (account, region, name, stack)
);

CREATE INDEX stack_import_stack ON stack_import (stack);

CREATE TABLE stack_resource (
    stack      TEXT NOT NULL,
    id         TEXT NOT NULL, -- logical
    generation INTEGER NOT NULL, -- 0, or one that an update left behind
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    type       TEXT NOT NULL,
    physical   TEXT NOT NULL,
    state      TEXT NOT NULL, -- of what an operation does to it
    status     TEXT NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (stack, id, generation)
);

CREATE INDEX stack_resource_physical ON stack_resource (account, region, physical);

CREATE TABLE stack_template (
    stack TEXT NOT NULL,
    slot  TEXT NOT NULL, -- now, next, or the ARN of a change set
    body  TEXT NOT NULL,
    PRIMARY KEY (stack, slot)
);

CREATE TABLE stored_query (
    place       INTEGER NOT NULL,
    name        TEXT NOT NULL,
    public_id   TEXT NOT NULL, -- QueryId
    description TEXT NOT NULL,
    expression  TEXT NOT NULL,
    changed     BIGINT NOT NULL,
    PRIMARY KEY (place, name)
) WITHOUT ROWID;

CREATE TABLE tag (
    place INTEGER NOT NULL,
    arn   TEXT NOT NULL,
    key   TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (place, arn, key)
) WITHOUT ROWID;

CREATE TABLE temporary_credentials (
  id        TEXT NOT NULL PRIMARY KEY,
  secret    TEXT NOT NULL,
  token     TEXT NOT NULL,
  account   TEXT NOT NULL,
  principal TEXT NOT NULL,
  user_id   TEXT NOT NULL,
  expires   BIGINT NOT NULL
, session TEXT NOT NULL DEFAULT '');

CREATE INDEX temporary_credentials_expires ON temporary_credentials (expires);

CREATE TABLE topic_signers (
  id          INTEGER NOT NULL PRIMARY KEY,
  key         TEXT NOT NULL,
  certificate TEXT NOT NULL
);

CREATE TABLE topic_subscriptions (
  account    TEXT NOT NULL,
  region     TEXT NOT NULL,
  topic      TEXT NOT NULL,
  id         TEXT NOT NULL,
  owner      TEXT NOT NULL,
  protocol   TEXT NOT NULL,
  endpoint   TEXT NOT NULL,
  attributes TEXT NOT NULL,
  token      TEXT NOT NULL,
  confirmed  BIGINT NOT NULL,
  created    BIGINT NOT NULL,
  PRIMARY KEY (account, region, topic, id)
);

CREATE UNIQUE INDEX topic_subscriptions_endpoint ON topic_subscriptions (account, region, topic, protocol, endpoint);

CREATE TABLE topic_throttle (
    subscription TEXT PRIMARY KEY,
    free         BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE topics (
  account    TEXT NOT NULL,
  region     TEXT NOT NULL,
  name       TEXT NOT NULL,
  created    BIGINT NOT NULL,
  attributes TEXT NOT NULL,
  tags       TEXT NOT NULL,
  PRIMARY KEY (account, region, name)
);

CREATE TABLE trail_file (
    source TEXT NOT NULL,
    name   TEXT NOT NULL, -- the object's key
    at     BIGINT NOT NULL,
    PRIMARY KEY (source, name)
) WITHOUT ROWID;

CREATE TABLE trail_source (
    source TEXT PRIMARY KEY -- place and address
) WITHOUT ROWID;

CREATE TABLE type_tally (
    place         INTEGER NOT NULL,
    type          INTEGER NOT NULL,
    shard         SMALLINT NOT NULL,
    live          BIGINT NOT NULL,
    compliant     BIGINT NOT NULL,
    non_compliant BIGINT NOT NULL,
    PRIMARY KEY (place, type, shard)
) WITHOUT ROWID;

CREATE TABLE verdict (
    resource   INTEGER NOT NULL,
    ordering   BIGINT NOT NULL,
    invoked    BIGINT NOT NULL,
    recorded   BIGINT NOT NULL,
    rule       INTEGER NOT NULL,
    compliance SMALLINT NOT NULL, -- 1 compliant, 2 non-compliant, 3 not applicable
    annotation TEXT, turned BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (resource, rule)
) WITHOUT ROWID;

CREATE INDEX verdict_failing ON verdict (rule, turned, resource) WHERE compliance = 2;

CREATE INDEX verdict_rule ON verdict (rule, compliance, resource);

CREATE TABLE verdict_digest (
    resource INTEGER PRIMARY KEY,
    digests  BLOB NOT NULL -- pairs: of the rule, of its result
);
