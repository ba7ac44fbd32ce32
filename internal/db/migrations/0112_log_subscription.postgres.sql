-- Functions that get the events of a log group.
CREATE TABLE log_subscriptions (
    account      TEXT COLLATE "C" NOT NULL,
    region       TEXT COLLATE "C" NOT NULL,
    log_group    TEXT COLLATE "C" NOT NULL, -- its name
    name         TEXT COLLATE "C" NOT NULL,
    pattern      TEXT COLLATE "C" NOT NULL,
    destination  TEXT COLLATE "C" NOT NULL, -- ARN
    distribution TEXT COLLATE "C" NOT NULL,
    created      BIGINT NOT NULL,
    PRIMARY KEY (account, region, log_group, name)
);
