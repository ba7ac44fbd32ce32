-- The functions' own addresses.
CREATE TABLE lambda_url (
    id        TEXT COLLATE "C" NOT NULL, -- the first label of its host
    account   TEXT COLLATE "C" NOT NULL,
    region    TEXT COLLATE "C" NOT NULL,
    name      TEXT COLLATE "C" NOT NULL, -- of the function
    qualifier TEXT COLLATE "C" NOT NULL, -- an alias, or empty
    created   BIGINT NOT NULL,
    modified  BIGINT NOT NULL,
    settings  TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX lambda_url_function ON lambda_url (account, region, name, qualifier);
