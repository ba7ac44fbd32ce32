-- The bytes of objects, where several servers share the database: blobs of chunks of one MiB.
-- A blob is named once it is whole; begun is the machine's time.
CREATE TABLE blobs (
	id TEXT PRIMARY KEY,
	begun BIGINT NOT NULL,
	whole BOOLEAN NOT NULL
) WITHOUT ROWID;

CREATE TABLE blob_chunks (
	blob TEXT NOT NULL,
	number INTEGER NOT NULL,
	bytes BLOB NOT NULL,
	PRIMARY KEY (blob, number)
);
