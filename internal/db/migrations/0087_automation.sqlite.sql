-- Automation documents that people made, each version of them.
CREATE TABLE automation_document (
    account  TEXT NOT NULL,
    region   TEXT NOT NULL,
    name     TEXT NOT NULL,
    version  INTEGER NOT NULL,
    preset   BOOLEAN NOT NULL, -- the default version
    format   TEXT NOT NULL,
    content  TEXT NOT NULL,
    created  BIGINT NOT NULL,
    PRIMARY KEY (account, region, name, version)
);

-- Executions of documents, and their steps.
CREATE TABLE automation_execution (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    account  TEXT NOT NULL,
    region   TEXT NOT NULL,
    public_id TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL,
    version  TEXT NOT NULL,
    status   TEXT NOT NULL,
    started  BIGINT NOT NULL,
    ended    BIGINT NOT NULL, -- 0 while it goes on
    failure  TEXT NOT NULL,
    step     INTEGER NOT NULL, -- the number of the present one
    failing  BOOLEAN NOT NULL, -- a critical step failed, and the document goes on
    request  TEXT NOT NULL,    -- document, parameters, role and note
    vals     TEXT NOT NULL     -- parameters and outputs, by name
);
CREATE INDEX automation_execution_started ON automation_execution (account, region, started, id);
CREATE INDEX automation_execution_ended ON automation_execution (ended) WHERE ended > 0;

CREATE TABLE automation_step (
    execution BIGINT NOT NULL,
    number    INTEGER NOT NULL,
    name      TEXT NOT NULL,
    action    TEXT NOT NULL,
    status    TEXT NOT NULL,
    attempts  INTEGER NOT NULL,
    started   BIGINT NOT NULL,
    ended     BIGINT NOT NULL,
    failure   TEXT NOT NULL,
    body      TEXT NOT NULL, -- inputs, outputs and what a wait left
    PRIMARY KEY (execution, number)
);
