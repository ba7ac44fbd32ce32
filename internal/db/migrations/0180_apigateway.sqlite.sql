-- API Gateway's APIs. A deployment is a copy of the definition, and a stage shows one.
CREATE TABLE gateway_api (
    id         TEXT NOT NULL, -- the first label of its host
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    kind       TEXT NOT NULL, -- HTTP or REST
    created    BIGINT NOT NULL,
    definition TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX gateway_api_place ON gateway_api (account, region, kind, id);

CREATE TABLE gateway_deployment (
    api        TEXT NOT NULL,
    id         TEXT NOT NULL,
    created    BIGINT NOT NULL,
    automatic  SMALLINT NOT NULL, -- 1 if a change made it
    about      TEXT NOT NULL,
    definition TEXT NOT NULL,
    PRIMARY KEY (api, id)
);

CREATE TABLE gateway_stage (
    api        TEXT NOT NULL,
    name       TEXT NOT NULL,
    deployment TEXT NOT NULL, -- empty while there is none
    flushed    BIGINT NOT NULL, -- counts how often the answers of authorizers were forgotten
    settings   TEXT NOT NULL,
    PRIMARY KEY (api, name)
);
