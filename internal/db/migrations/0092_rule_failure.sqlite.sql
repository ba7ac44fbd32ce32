-- Resources on which a rule's function failed, or gave no verdict, when it was last asked.
CREATE TABLE rule_failure (
    rule    INTEGER NOT NULL,
    type    TEXT NOT NULL,
    id      TEXT NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (rule, type, id)
) WITHOUT ROWID;
