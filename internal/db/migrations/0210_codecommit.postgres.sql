-- CodeCommit's repositories. Triggers, tags and the key are in the definition.
CREATE TABLE codecommit_repository (
    id              TEXT COLLATE "C" NOT NULL,
    account         TEXT COLLATE "C" NOT NULL,
    region          TEXT COLLATE "C" NOT NULL,
    name            TEXT COLLATE "C" NOT NULL,
    description     TEXT NOT NULL,
    default_branch  TEXT NOT NULL, -- empty until there is a branch
    created         BIGINT NOT NULL,
    changed         BIGINT NOT NULL,
    definition      TEXT NOT NULL,
    PRIMARY KEY (id)
);

CREATE UNIQUE INDEX codecommit_repository_by_name ON codecommit_repository (account, region, name);

CREATE TABLE codecommit_ref (
    repository  TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL, -- whole: refs/heads/main
    id          TEXT COLLATE "C" NOT NULL, -- of the object that it names
    target      TEXT COLLATE "C" NOT NULL, -- what that leads to through annotated tags: a commit as a rule
    PRIMARY KEY (repository, name)
);

CREATE TABLE codecommit_object (
    repository  TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    kind        SMALLINT NOT NULL, -- as in packs: 1 commit, 2 tree, 3 blob, 4 tag
    size        BIGINT NOT NULL,   -- of the content
    content     BYTEA NOT NULL,     -- compressed with zlib, as in packs
    PRIMARY KEY (repository, id)
);
