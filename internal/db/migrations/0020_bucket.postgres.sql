-- Buckets, their configuration and their objects (internal/bucket).

CREATE TABLE buckets (
  name       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  account    TEXT NOT NULL,
  region     TEXT NOT NULL,
  created    BIGINT NOT NULL,
  versioning TEXT NOT NULL
);

CREATE INDEX buckets_account ON buckets (account, name);

-- One row per configuration that was put: its XML, or JSON for a policy. Kinds
-- such as inventory have several, by id.
CREATE TABLE bucket_configurations (
  bucket TEXT COLLATE "C" NOT NULL,
  kind   TEXT COLLATE "C" NOT NULL,
  id     TEXT COLLATE "C" NOT NULL,
  body   TEXT NOT NULL,
  PRIMARY KEY (bucket, kind, id)
);

-- One row per version of an object; a delete marker is one too. A higher seq is
-- newer. data names the bytes in object_blobs.
CREATE TABLE objects (
  bucket   TEXT COLLATE "C" NOT NULL,
  key      TEXT COLLATE "C" NOT NULL,
  seq      BIGINT NOT NULL,
  version  TEXT COLLATE "C" NOT NULL,
  latest   BOOLEAN NOT NULL,
  marker   BOOLEAN NOT NULL,
  size     BIGINT NOT NULL,
  etag     TEXT NOT NULL,
  modified BIGINT NOT NULL,
  data     TEXT NOT NULL,
  meta     TEXT NOT NULL,
  PRIMARY KEY (bucket, key, version)
);

CREATE UNIQUE INDEX objects_history ON objects (bucket, key, seq DESC);
CREATE UNIQUE INDEX objects_latest ON objects (bucket, key) WHERE latest;
CREATE INDEX objects_current ON objects (bucket, key) WHERE latest AND NOT marker;

-- The bytes: the one blob of an object, or the parts of an upload. owner is an
-- object's data or an upload's id.
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

CREATE TABLE object_uploads (
  id      TEXT NOT NULL PRIMARY KEY,
  bucket  TEXT COLLATE "C" NOT NULL,
  key     TEXT COLLATE "C" NOT NULL,
  started BIGINT NOT NULL,
  meta    TEXT NOT NULL
);

CREATE INDEX object_uploads_key ON object_uploads (bucket, key, started);

-- Blobs that no row names any more. They are removed a while later, so that who
-- reads one may finish.
CREATE TABLE object_trash (
  blob TEXT NOT NULL PRIMARY KEY,
  at   BIGINT NOT NULL
);

CREATE INDEX object_trash_at ON object_trash (at);
