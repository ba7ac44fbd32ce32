-- How many resources complied, each day, from what is kept by type.
CREATE TABLE score (
    place         INTEGER NOT NULL,
    day           INTEGER NOT NULL, -- 20261129
    live          BIGINT NOT NULL,
    compliant     BIGINT NOT NULL,
    non_compliant BIGINT NOT NULL,
    PRIMARY KEY (place, day)
) WITHOUT ROWID;
