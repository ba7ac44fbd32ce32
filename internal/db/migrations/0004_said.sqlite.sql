-- What the in-process rules said of a resource last, as digests: a rule that says the same again needs no look at its
-- verdict. It can be lost at any time.
CREATE TABLE said (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    type    TEXT NOT NULL,
    id      TEXT NOT NULL,
    digests BLOB NOT NULL, -- pairs: of the rule, of what it said
    PRIMARY KEY (account, region, type, id)
) WITHOUT ROWID;
