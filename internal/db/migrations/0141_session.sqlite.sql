ALTER TABLE temporary_credentials ADD COLUMN session TEXT NOT NULL DEFAULT ''; -- JSON
