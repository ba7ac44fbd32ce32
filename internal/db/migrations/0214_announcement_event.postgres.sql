-- The calls that announced changes, as the audit log knows them, until an item says so.
CREATE TABLE announcement_event (
    resource  BIGINT NOT NULL,
    announced BIGINT NOT NULL, -- the how manieth change of the resource it was
    event     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (resource, announced)
);

CREATE INDEX audit_event_by_id ON audit_event (id);
