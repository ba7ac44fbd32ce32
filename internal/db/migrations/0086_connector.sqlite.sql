-- Connections to other cloud providers.
CREATE TABLE connector (
    place   INTEGER NOT NULL,
    name    TEXT NOT NULL,
    tenant  TEXT NOT NULL,
    client  TEXT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (place, name),
    UNIQUE (place, tenant, client)
);
