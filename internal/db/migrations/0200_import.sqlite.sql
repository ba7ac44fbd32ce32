-- How far the import of AWS Config's own files has come: one row a file.
CREATE TABLE import_file (
    source   TEXT NOT NULL,    -- the folder or bucket and prefix
    name     TEXT NOT NULL,    -- of the file in it
    version  TEXT NOT NULL,    -- of its content, and of what was asked of it
    position BIGINT NOT NULL,  -- how many of its items were looked at
    done     BOOLEAN NOT NULL,
    unread   BIGINT NOT NULL,  -- how many could not be read
    problems TEXT NOT NULL,    -- the first of them, as JSON
    PRIMARY KEY (source, name)
) WITHOUT ROWID;

-- Places that got newest items by an import and whose rules are still to be asked.
CREATE TABLE import_place (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    PRIMARY KEY (account, region)
) WITHOUT ROWID;
