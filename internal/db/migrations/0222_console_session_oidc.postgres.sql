-- Who logged in by OpenID Connect has no access key.
ALTER TABLE console_session ADD COLUMN subject TEXT NOT NULL DEFAULT ''; -- whom the provider names; empty for an access key
ALTER TABLE console_session ADD COLUMN grants TEXT NOT NULL DEFAULT '';  -- JSON: the values of its claim
ALTER TABLE console_session ADD COLUMN account TEXT NOT NULL DEFAULT ''; -- the one of several that is shown
