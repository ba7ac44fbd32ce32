-- The bytes of objects, where several servers share the database: blobs of chunks of one MiB.
-- A blob is named once it is whole; begun is the machine's time.
CREATE TABLE blobs (
	id TEXT COLLATE "C" PRIMARY KEY,
	begun BIGINT NOT NULL,
	whole BOOLEAN NOT NULL
);

-- The chunks are not compressed: most objects are gzip already, and a part of a row that is not compressed is read alone.
CREATE TABLE blob_chunks (
	blob TEXT COLLATE "C" NOT NULL,
	number INTEGER NOT NULL,
	bytes BYTEA NOT NULL,
	PRIMARY KEY (blob, number)
);
ALTER TABLE blob_chunks ALTER COLUMN bytes SET STORAGE EXTERNAL;
