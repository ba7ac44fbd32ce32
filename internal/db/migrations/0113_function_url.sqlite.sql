-- The functions' own addresses.
CREATE TABLE lambda_url (
    id        TEXT NOT NULL, -- the first label of its host
    account   TEXT NOT NULL,
    region    TEXT NOT NULL,
    name      TEXT NOT NULL, -- of the function
    qualifier TEXT NOT NULL, -- an alias, or empty
    created   BIGINT NOT NULL,
    modified  BIGINT NOT NULL,
    settings  TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX lambda_url_function ON lambda_url (account, region, name, qualifier);
