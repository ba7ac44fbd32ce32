-- API Gateway's APIs. A deployment is a copy of the definition, and a stage shows one.
CREATE TABLE gateway_api (
    id         TEXT COLLATE "C" NOT NULL, -- the first label of its host
    account    TEXT COLLATE "C" NOT NULL,
    region     TEXT COLLATE "C" NOT NULL,
    kind       TEXT COLLATE "C" NOT NULL, -- HTTP or REST
    created    BIGINT NOT NULL,
    definition TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX gateway_api_place ON gateway_api (account, region, kind, id);

CREATE TABLE gateway_deployment (
    api        TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    created    BIGINT NOT NULL,
    automatic  SMALLINT NOT NULL, -- 1 if a change made it
    about      TEXT COLLATE "C" NOT NULL,
    definition TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (api, id)
);

CREATE TABLE gateway_stage (
    api        TEXT COLLATE "C" NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    deployment TEXT COLLATE "C" NOT NULL, -- empty while there is none
    flushed    BIGINT NOT NULL, -- counts how often the answers of authorizers were forgotten
    settings   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (api, name)
);
