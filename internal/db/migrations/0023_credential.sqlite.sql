-- Temporary credentials that STS gave (internal/credential).

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
