ALTER TABLE temporary_credentials ADD COLUMN session TEXT COLLATE "C" NOT NULL DEFAULT ''; -- JSON
