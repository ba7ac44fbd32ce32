-- What the in-process rules said of a resource last, as digests: a rule that says the same again needs no look at its
-- verdict. It can be lost at any time.
CREATE TABLE said (
    account TEXT COLLATE "C" NOT NULL,
    region  TEXT COLLATE "C" NOT NULL,
    type    TEXT COLLATE "C" NOT NULL,
    id      TEXT COLLATE "C" NOT NULL,
    digests BYTEA NOT NULL, -- pairs: of the rule, of what it said
    PRIMARY KEY (account, region, type, id)
);
