-- Connections to other cloud providers.
CREATE TABLE connector (
    place   INTEGER NOT NULL,
    name    TEXT COLLATE "C" NOT NULL,
    tenant  TEXT COLLATE "C" NOT NULL,
    client  TEXT COLLATE "C" NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (place, name),
    UNIQUE (place, tenant, client)
);
