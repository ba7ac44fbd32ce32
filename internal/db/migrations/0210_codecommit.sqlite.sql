-- CodeCommit's repositories. Triggers, tags and the key are in the definition.
CREATE TABLE codecommit_repository (
    id              TEXT NOT NULL,
    account         TEXT NOT NULL,
    region          TEXT NOT NULL,
    name            TEXT NOT NULL,
    description     TEXT NOT NULL,
    default_branch  TEXT NOT NULL, -- empty until there is a branch
    created         BIGINT NOT NULL,
    changed         BIGINT NOT NULL,
    definition      TEXT NOT NULL,
    PRIMARY KEY (id)
);

CREATE UNIQUE INDEX codecommit_repository_by_name ON codecommit_repository (account, region, name);

CREATE TABLE codecommit_ref (
    repository  TEXT NOT NULL,
    name        TEXT NOT NULL, -- whole: refs/heads/main
    id          TEXT NOT NULL, -- of the object that it names
    target      TEXT NOT NULL, -- what that leads to through annotated tags: a commit as a rule
    PRIMARY KEY (repository, name)
);

CREATE TABLE codecommit_object (
    repository  TEXT NOT NULL,
    id          TEXT NOT NULL,
    kind        SMALLINT NOT NULL, -- as in packs: 1 commit, 2 tree, 3 blob, 4 tag
    size        BIGINT NOT NULL,   -- of the content
    content     BLOB NOT NULL,      -- compressed with zlib, as in packs
    PRIMARY KEY (repository, id)
);
