-- Calls to outside services, as CloudTrail recorded them, by what they name: the causes of
-- items of what is read because of them. They are kept for an hour.
CREATE TABLE noticed_call (
    place   INTEGER NOT NULL,
    name    TEXT NOT NULL, -- an id, a name or an ARN
    event   TEXT NOT NULL,
    service TEXT NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (place, name, event)
) WITHOUT ROWID;

CREATE INDEX noticed_call_by_time ON noticed_call (place, at);
