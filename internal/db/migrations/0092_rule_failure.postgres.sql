-- Resources on which a rule's function failed, or gave no verdict, when it was last asked.
CREATE TABLE rule_failure (
    rule    INTEGER NOT NULL,
    type    TEXT COLLATE "C" NOT NULL,
    id      TEXT COLLATE "C" NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (rule, type, id)
);
