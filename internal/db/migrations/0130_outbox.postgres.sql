-- Messages on their way out. A lane is one way of a place, such as its topic; who is not its holder leaves it alone.
CREATE TABLE outbox_lane (
    place   INTEGER NOT NULL,
    sink    TEXT COLLATE "C" NOT NULL,
    holder  BIGINT NOT NULL,
    down    INTEGER NOT NULL,
    next    BIGINT NOT NULL,
    tries   INTEGER NOT NULL,
    PRIMARY KEY (place, sink)
);

-- A row holds one message or several that were decided together. state: 1 waits, 2 held (it failed by itself, or stands behind
-- one that did, and is of one resource), 3 undelivered. due: of the first held message of its resource when it is tried next, else 0.
-- since: when the time began that it is tried for.
CREATE TABLE outbox_message (
    id      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    place   INTEGER NOT NULL,
    sink    TEXT COLLATE "C" NOT NULL,
    state   INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    type    TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    args    TEXT NOT NULL,
    count   INTEGER NOT NULL,
    created BIGINT NOT NULL,
    since   BIGINT NOT NULL,
    due     BIGINT NOT NULL,
    tries   INTEGER NOT NULL,
    tried   BIGINT NOT NULL,
    error   TEXT NOT NULL
);
CREATE INDEX outbox_message_lane ON outbox_message (place, sink, state, id);
CREATE INDEX outbox_message_held ON outbox_message (place, sink, type, subject, id) WHERE state = 2;
CREATE INDEX outbox_message_undelivered ON outbox_message (id) WHERE state = 3;
CREATE INDEX outbox_message_old ON outbox_message (since) WHERE state = 3;
