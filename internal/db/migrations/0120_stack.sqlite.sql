-- The stacks of the embedded CloudFormation.
CREATE TABLE stack (
    id      TEXT PRIMARY KEY, -- its ARN
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    name    TEXT NOT NULL,
    live    BOOLEAN NOT NULL, -- false once it was deleted: its name is free
    status  TEXT NOT NULL,
    parent  TEXT NOT NULL, -- the stack that it is nested in, or nothing
    created BIGINT NOT NULL,
    body    TEXT NOT NULL
);
CREATE UNIQUE INDEX stack_name ON stack (account, region, name) WHERE live;
CREATE INDEX stack_listed ON stack (account, region, created, id);

-- Templates: of a stack as it is (now), as it is to be (next), and of change sets.
CREATE TABLE stack_template (
    stack TEXT NOT NULL,
    slot  TEXT NOT NULL, -- now, next, or the ARN of a change set
    body  TEXT NOT NULL,
    PRIMARY KEY (stack, slot)
);

CREATE TABLE stack_resource (
    stack      TEXT NOT NULL,
    id         TEXT NOT NULL, -- logical
    generation INTEGER NOT NULL, -- 0, or one that an update left behind
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    type       TEXT NOT NULL,
    physical   TEXT NOT NULL,
    state      TEXT NOT NULL, -- of what an operation does to it
    status     TEXT NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (stack, id, generation)
);
CREATE INDEX stack_resource_physical ON stack_resource (account, region, physical);

CREATE TABLE stack_event (
    stack TEXT NOT NULL,
    seq   BIGINT NOT NULL,
    id    TEXT NOT NULL,
    at    BIGINT NOT NULL,
    body  TEXT NOT NULL,
    PRIMARY KEY (stack, seq)
);

-- Outputs that other stacks of the place may import.
CREATE TABLE stack_export (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    name    TEXT NOT NULL,
    stack   TEXT NOT NULL,
    value   TEXT NOT NULL,
    PRIMARY KEY (account, region, name)
);
CREATE INDEX stack_export_stack ON stack_export (stack);

CREATE TABLE stack_import (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    name    TEXT NOT NULL, -- of the export
    stack   TEXT NOT NULL, -- that imports it
    PRIMARY KEY (account, region, name, stack)
);
CREATE INDEX stack_import_stack ON stack_import (stack);

CREATE TABLE stack_change_set (
    id      TEXT PRIMARY KEY, -- its ARN
    stack   TEXT NOT NULL,
    name    TEXT NOT NULL,
    created BIGINT NOT NULL,
    body    TEXT NOT NULL
);
CREATE UNIQUE INDEX stack_change_set_name ON stack_change_set (stack, name);
