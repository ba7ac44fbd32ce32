-- Distributions of CloudFront, with their configurations as its API spells them.
CREATE TABLE cloudfront_distributions (
    account     TEXT NOT NULL,
    id          TEXT NOT NULL,
    reference   TEXT NOT NULL, -- of who made it
    domain      TEXT NOT NULL,
    etag        TEXT NOT NULL,
    modified    BIGINT NOT NULL,
    invalidated BIGINT NOT NULL, -- how many invalidations there were
    config      TEXT NOT NULL,
    tags        TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX cloudfront_distributions_by_reference ON cloudfront_distributions (account, reference);

-- The names by which viewers reach them.
CREATE TABLE cloudfront_names (
    name         TEXT NOT NULL, -- in lower case
    distribution TEXT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX cloudfront_names_by_distribution ON cloudfront_names (distribution);

-- Paths that the caches of all servers forget.
CREATE TABLE cloudfront_invalidations (
    distribution TEXT NOT NULL,
    id           TEXT NOT NULL,
    number       BIGINT NOT NULL,
    reference    TEXT NOT NULL,
    created      BIGINT NOT NULL,
    paths        TEXT NOT NULL,
    PRIMARY KEY (distribution, number)
);
