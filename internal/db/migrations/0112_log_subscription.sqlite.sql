-- Functions that get the events of a log group.
CREATE TABLE log_subscriptions (
    account      TEXT NOT NULL,
    region       TEXT NOT NULL,
    log_group    TEXT NOT NULL, -- its name
    name         TEXT NOT NULL,
    pattern      TEXT NOT NULL,
    destination  TEXT NOT NULL, -- ARN
    distribution TEXT NOT NULL,
    created      BIGINT NOT NULL,
    PRIMARY KEY (account, region, log_group, name)
);
