-- Proactive evaluations of the last day.
CREATE TABLE resource_evaluation (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    place      INTEGER NOT NULL,
    public_id  TEXT NOT NULL UNIQUE, -- ResourceEvaluationId
    token      TEXT, -- the caller's; NULL if there was none
    context    TEXT NOT NULL,
    started    BIGINT NOT NULL,
    status     TEXT NOT NULL,
    reason     TEXT NOT NULL,
    compliance TEXT NOT NULL,
    request    TEXT NOT NULL,
    UNIQUE (place, token)
);
CREATE INDEX resource_evaluation_started ON resource_evaluation (place, started, id);

-- What the rules say in one.
CREATE TABLE resource_evaluation_rule (
    evaluation BIGINT NOT NULL,
    name       TEXT NOT NULL,
    rule       TEXT NOT NULL, -- ConfigRuleId
    compliance TEXT NOT NULL, -- empty until it answers
    annotation TEXT NOT NULL,
    failure    TEXT NOT NULL,
    ordering   BIGINT NOT NULL,
    invoked    BIGINT NOT NULL,
    recorded   BIGINT NOT NULL,
    PRIMARY KEY (evaluation, name)
);
