-- How far the program's clock was moved, in microseconds, and where it stands if it is frozen (0: it runs). One row, or none.
CREATE TABLE clock (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    ahead BIGINT NOT NULL,
    frozen BIGINT NOT NULL
);
