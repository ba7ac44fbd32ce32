-- Distributions of CloudFront, with their configurations as its API spells them.
CREATE TABLE cloudfront_distributions (
    account     TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    reference   TEXT COLLATE "C" NOT NULL, -- of who made it
    domain      TEXT COLLATE "C" NOT NULL,
    etag        TEXT COLLATE "C" NOT NULL,
    modified    BIGINT NOT NULL,
    invalidated BIGINT NOT NULL, -- how many invalidations there were
    config      TEXT NOT NULL,
    tags        TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX cloudfront_distributions_by_reference ON cloudfront_distributions (account, reference);

-- The names by which viewers reach them.
CREATE TABLE cloudfront_names (
    name         TEXT COLLATE "C" NOT NULL, -- in lower case
    distribution TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX cloudfront_names_by_distribution ON cloudfront_names (distribution);

-- Paths that the caches of all servers forget.
CREATE TABLE cloudfront_invalidations (
    distribution TEXT COLLATE "C" NOT NULL,
    id           TEXT COLLATE "C" NOT NULL,
    number       BIGINT NOT NULL,
    reference    TEXT COLLATE "C" NOT NULL,
    created      BIGINT NOT NULL,
    paths        TEXT NOT NULL,
    PRIMARY KEY (distribution, number)
);
