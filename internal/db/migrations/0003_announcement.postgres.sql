-- How many changes of a resource its service announced, and how many of them the newest sight of it followed: an older sight
-- says what the resource was, not what it is.
CREATE TABLE announcement (
    account   TEXT COLLATE "C" NOT NULL,
    region    TEXT COLLATE "C" NOT NULL,
    type      TEXT COLLATE "C" NOT NULL,
    id        TEXT COLLATE "C" NOT NULL,
    announced BIGINT NOT NULL,
    seen      BIGINT NOT NULL,
    PRIMARY KEY (account, region, type, id)
);
