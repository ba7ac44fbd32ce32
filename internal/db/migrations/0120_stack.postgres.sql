-- The stacks of the embedded CloudFormation.
CREATE TABLE stack (
    id      TEXT COLLATE "C" PRIMARY KEY, -- its ARN
    account TEXT COLLATE "C" NOT NULL,
    region  TEXT COLLATE "C" NOT NULL,
    name    TEXT COLLATE "C" NOT NULL,
    live    BOOLEAN NOT NULL, -- false once it was deleted: its name is free
    status  TEXT COLLATE "C" NOT NULL,
    parent  TEXT COLLATE "C" NOT NULL, -- the stack that it is nested in, or nothing
    created BIGINT NOT NULL,
    body    TEXT NOT NULL
);
CREATE UNIQUE INDEX stack_name ON stack (account, region, name) WHERE live;
CREATE INDEX stack_listed ON stack (account, region, created, id);

-- Templates: of a stack as it is (now), as it is to be (next), and of change sets.
CREATE TABLE stack_template (
    stack TEXT COLLATE "C" NOT NULL,
    slot  TEXT COLLATE "C" NOT NULL, -- now, next, or the ARN of a change set
    body  TEXT NOT NULL,
    PRIMARY KEY (stack, slot)
);

CREATE TABLE stack_resource (
    stack      TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL, -- logical
    generation INTEGER NOT NULL, -- 0, or one that an update left behind
    account    TEXT COLLATE "C" NOT NULL,
    region     TEXT COLLATE "C" NOT NULL,
    type       TEXT COLLATE "C" NOT NULL,
    physical   TEXT COLLATE "C" NOT NULL,
    state      TEXT COLLATE "C" NOT NULL, -- of what an operation does to it
    status     TEXT COLLATE "C" NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (stack, id, generation)
);
CREATE INDEX stack_resource_physical ON stack_resource (account, region, physical);

CREATE TABLE stack_event (
    stack TEXT COLLATE "C" NOT NULL,
    seq   BIGINT NOT NULL,
    id    TEXT COLLATE "C" NOT NULL,
    at    BIGINT NOT NULL,
    body  TEXT NOT NULL,
    PRIMARY KEY (stack, seq)
);

-- Outputs that other stacks of the place may import.
CREATE TABLE stack_export (
    account TEXT COLLATE "C" NOT NULL,
    region  TEXT COLLATE "C" NOT NULL,
    name    TEXT COLLATE "C" NOT NULL,
    stack   TEXT COLLATE "C" NOT NULL,
    value   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (account, region, name)
);
CREATE INDEX stack_export_stack ON stack_export (stack);

CREATE TABLE stack_import (
    account TEXT COLLATE "C" NOT NULL,
    region  TEXT COLLATE "C" NOT NULL,
    name    TEXT COLLATE "C" NOT NULL, -- of the export
    stack   TEXT COLLATE "C" NOT NULL, -- that imports it
    PRIMARY KEY (account, region, name, stack)
);
CREATE INDEX stack_import_stack ON stack_import (stack);

CREATE TABLE stack_change_set (
    id      TEXT COLLATE "C" PRIMARY KEY, -- its ARN
    stack   TEXT COLLATE "C" NOT NULL,
    name    TEXT COLLATE "C" NOT NULL,
    created BIGINT NOT NULL,
    body    TEXT NOT NULL
);
CREATE UNIQUE INDEX stack_change_set_name ON stack_change_set (stack, name);
