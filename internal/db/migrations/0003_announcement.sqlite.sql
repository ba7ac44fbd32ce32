-- How many changes of a resource its service announced, and how many of them the newest sight of it followed: an older sight
-- says what the resource was, not what it is.
CREATE TABLE announcement (
    account   TEXT NOT NULL,
    region    TEXT NOT NULL,
    type      TEXT NOT NULL,
    id        TEXT NOT NULL,
    announced BIGINT NOT NULL,
    seen      BIGINT NOT NULL,
    PRIMARY KEY (account, region, type, id)
);
