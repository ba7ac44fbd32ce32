-- How reading goes, of each type that a running recorder reads: what is under way, and how the last one ended.
CREATE TABLE reading (
    place     INTEGER NOT NULL,
    type      INTEGER NOT NULL,
    token     BIGINT NOT NULL,  -- of the reading that is under way, which its job carries; 0 if none is
    asked     BIGINT NOT NULL,  -- when its job was inserted; 0 while it waits for others
    late      BOOLEAN NOT NULL, -- it waits for all others
    inventory BOOLEAN NOT NULL, -- the first complete reading since the recorder started is still to come
    completed BIGINT NOT NULL,  -- when the last complete reading began; 0 if never
    failing   BIGINT NOT NULL,  -- since when readings fail; 0 if the last one did not
    code      TEXT NOT NULL,    -- of the failure
    message   TEXT NOT NULL,
    PRIMARY KEY (place, type)
) WITHOUT ROWID;

-- The one poll that is to come of each running recorder; other poll jobs end themselves.
CREATE TABLE recorder_poll (
    place      INTEGER PRIMARY KEY,
    generation BIGINT NOT NULL,
    due        BIGINT NOT NULL
);
