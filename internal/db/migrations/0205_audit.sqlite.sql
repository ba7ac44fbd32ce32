-- Who called what: calls that changed something, and calls that were refused.
CREATE TABLE audit_event (
    at         BIGINT NOT NULL,
    id         TEXT NOT NULL,
    account    TEXT NOT NULL, -- empty where nobody knows
    service    TEXT NOT NULL,
    operation  TEXT NOT NULL,
    principal  TEXT NOT NULL,
    user_name  TEXT NOT NULL,
    access_key TEXT NOT NULL,
    code       TEXT NOT NULL, -- of the error; empty if it was done
    waits      BOOLEAN NOT NULL, -- to be delivered in a file
    body       TEXT NOT NULL,
    PRIMARY KEY (at, id)
) WITHOUT ROWID;
CREATE INDEX audit_event_by_account ON audit_event (account, at, id);
CREATE INDEX audit_event_waits ON audit_event (account, at) WHERE waits;

-- What calls are about: ARNs, names and ids.
CREATE TABLE audit_resource (
    at       BIGINT NOT NULL,
    id       TEXT NOT NULL,
    resource TEXT NOT NULL,
    PRIMARY KEY (at, id, resource)
) WITHOUT ROWID;
CREATE INDEX audit_resource_by_name ON audit_resource (resource, at);

-- When the next files are written, while there is something to write.
CREATE TABLE audit_delivery (
    id  BIGINT PRIMARY KEY, -- 1
    due BIGINT NOT NULL
);
