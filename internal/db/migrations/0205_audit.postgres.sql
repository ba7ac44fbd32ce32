-- Who called what: calls that changed something, and calls that were refused.
CREATE TABLE audit_event (
    at         BIGINT NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    account    TEXT COLLATE "C" NOT NULL, -- empty where nobody knows
    service    TEXT COLLATE "C" NOT NULL,
    operation  TEXT COLLATE "C" NOT NULL,
    principal  TEXT COLLATE "C" NOT NULL,
    user_name  TEXT COLLATE "C" NOT NULL,
    access_key TEXT COLLATE "C" NOT NULL,
    code       TEXT COLLATE "C" NOT NULL, -- of the error; empty if it was done
    waits      BOOLEAN NOT NULL, -- to be delivered in a file
    body       TEXT NOT NULL,
    PRIMARY KEY (at, id)
);
CREATE INDEX audit_event_by_account ON audit_event (account, at, id);
CREATE INDEX audit_event_waits ON audit_event (account, at) WHERE waits;

-- What calls are about: ARNs, names and ids.
CREATE TABLE audit_resource (
    at       BIGINT NOT NULL,
    id       TEXT COLLATE "C" NOT NULL,
    resource TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (at, id, resource)
);
CREATE INDEX audit_resource_by_name ON audit_resource (resource, at);

-- When the next files are written, while there is something to write.
CREATE TABLE audit_delivery (
    id  BIGINT PRIMARY KEY, -- 1
    due BIGINT NOT NULL
);
