-- Topics, subscriptions and the key that signs messages (internal/topic).

CREATE TABLE topics (
  account    TEXT NOT NULL,
  region     TEXT NOT NULL,
  name       TEXT COLLATE "C" NOT NULL,
  created    BIGINT NOT NULL,
  attributes TEXT NOT NULL,
  tags       TEXT NOT NULL,
  PRIMARY KEY (account, region, name)
);

CREATE TABLE topic_subscriptions (
  account    TEXT NOT NULL,
  region     TEXT NOT NULL,
  topic      TEXT COLLATE "C" NOT NULL,
  id         TEXT COLLATE "C" NOT NULL,
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

CREATE TABLE topic_signers (
  id          INTEGER NOT NULL PRIMARY KEY,
  key         TEXT NOT NULL,
  certificate TEXT NOT NULL
);
