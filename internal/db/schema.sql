-- What the migrations add up to, in SQLite's spelling. Printed by: go test ./internal/db -run Schema -update

CREATE TABLE announcement (
    account   TEXT NOT NULL,
    region    TEXT NOT NULL,
    type      TEXT NOT NULL,
    id        TEXT NOT NULL,
    announced BIGINT NOT NULL,
    seen      BIGINT NOT NULL,
    PRIMARY KEY (account, region, type, id)
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

CREATE TABLE delivery_channel (
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    name       TEXT NOT NULL,
    definition TEXT NOT NULL,
    status     TEXT NOT NULL,
    PRIMARY KEY (account, region, name)
);

CREATE TABLE item (
    account  TEXT NOT NULL,
    region   TEXT NOT NULL,
    type     TEXT NOT NULL,
    id       TEXT NOT NULL,
    state_id BIGINT NOT NULL, -- configurationStateId
    captured BIGINT NOT NULL,
    status   TEXT NOT NULL,
    body     TEXT NOT NULL, -- the item in the event form
    PRIMARY KEY (account, region, type, id, state_id)
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

CREATE TABLE recorder (
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    name       TEXT NOT NULL,
    principal  TEXT NOT NULL, -- of a service-linked recorder; empty for the customer's
    definition TEXT NOT NULL,
    status     TEXT NOT NULL,
    PRIMARY KEY (account, region, name)
);

CREATE TABLE relation (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    type        TEXT NOT NULL,
    id          TEXT NOT NULL,
    target_type TEXT NOT NULL,
    target      TEXT NOT NULL, -- the target's id, or its name where the item tells only that
    PRIMARY KEY (account, region, type, id, target_type, target)
) WITHOUT ROWID;

CREATE INDEX relation_target ON relation (account, region, target_type, target, type, id);

CREATE TABLE resource (
    account  TEXT NOT NULL,
    region   TEXT NOT NULL,
    type     TEXT NOT NULL,
    id       TEXT NOT NULL,
    name     TEXT NOT NULL,
    arn      TEXT NOT NULL,
    state_id BIGINT NOT NULL,
    captured BIGINT NOT NULL,
    status   TEXT NOT NULL,
    deleted  BIGINT NOT NULL, -- when its deletion was captured; 0 while it lives
    digest   BLOB NOT NULL,    -- of what a new item is compared with
    pushed   BOOLEAN NOT NULL, -- by PutResourceConfig: no collector will find it
    body     BLOB,             -- the item in the event form; null when gone or not recorded
    PRIMARY KEY (account, region, type, id)
);

CREATE INDEX resource_live ON resource (account, region, deleted, type);

CREATE INDEX resource_name ON resource (account, region, type, name);

CREATE TABLE rule (
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    name       TEXT NOT NULL,
    id         TEXT NOT NULL UNIQUE,
    state      TEXT NOT NULL,
    definition TEXT NOT NULL,
    status     TEXT NOT NULL,
    started    BIGINT NOT NULL, -- when an evaluation was last asked for
    next_run   BIGINT NOT NULL, -- when a periodic rule runs next; 0 if never
    PRIMARY KEY (account, region, name)
);

CREATE INDEX rule_next_run ON rule (next_run) WHERE next_run > 0;

CREATE TABLE rule_set (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (account, region)
);

CREATE TABLE said (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    type    TEXT NOT NULL,
    id      TEXT NOT NULL,
    digests BLOB NOT NULL, -- pairs: of the rule, of what it said
    PRIMARY KEY (account, region, type, id)
) WITHOUT ROWID;

CREATE TABLE secret (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
);

CREATE TABLE tag (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    arn     TEXT NOT NULL,
    key     TEXT NOT NULL,
    value   TEXT NOT NULL,
    PRIMARY KEY (account, region, arn, key)
);

CREATE TABLE temporary_credentials (
  id        TEXT NOT NULL PRIMARY KEY,
  secret    TEXT NOT NULL,
  token     TEXT NOT NULL,
  account   TEXT NOT NULL,
  principal TEXT NOT NULL,
  user_id   TEXT NOT NULL,
  expires   BIGINT NOT NULL
);

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

CREATE TABLE topics (
  account    TEXT NOT NULL,
  region     TEXT NOT NULL,
  name       TEXT NOT NULL,
  created    BIGINT NOT NULL,
  attributes TEXT NOT NULL,
  tags       TEXT NOT NULL,
  PRIMARY KEY (account, region, name)
);

CREATE TABLE verdict (
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    rule_id    TEXT NOT NULL,
    type       TEXT NOT NULL,
    id         TEXT NOT NULL,
    compliance TEXT NOT NULL,
    annotation TEXT NOT NULL,
    ordering   BIGINT NOT NULL,
    invoked    BIGINT NOT NULL,
    recorded   BIGINT NOT NULL,
    PRIMARY KEY (rule_id, type, id)
);

CREATE INDEX verdict_compliance ON verdict (rule_id, compliance);

CREATE INDEX verdict_resource ON verdict (account, region, type, id);
