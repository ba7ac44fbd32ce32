-- EventBridge Scheduler's groups. The default one of a place has a row once it was tagged.
CREATE TABLE schedule_groups (
    account     TEXT COLLATE "C" NOT NULL,
    region      TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    created     BIGINT NOT NULL,
    changed     BIGINT NOT NULL,
    tags        TEXT NOT NULL,
    PRIMARY KEY (account, region, name)
);

CREATE TABLE schedules (
    account     TEXT COLLATE "C" NOT NULL,
    region      TEXT COLLATE "C" NOT NULL,
    grouping    TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    state       TEXT COLLATE "C" NOT NULL,
    created     BIGINT NOT NULL,
    changed     BIGINT NOT NULL,
    due         BIGINT NOT NULL, -- the time of the expression that comes next; 0 if none
    definition  TEXT NOT NULL,
    PRIMARY KEY (account, region, grouping, name)
);
