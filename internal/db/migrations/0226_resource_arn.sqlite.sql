-- SQLite has this index since 0070.
CREATE INDEX IF NOT EXISTS resource_arn ON resource (arn) WHERE arn <> '';
