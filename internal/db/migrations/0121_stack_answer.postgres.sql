-- Answers that are waited for, from the functions that make custom resources.
CREATE TABLE stack_answer (
    secret     TEXT COLLATE "C" PRIMARY KEY, -- the hash of what ends the address
    stack      TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL, -- of the resource
    generation INTEGER NOT NULL,
    mark       TEXT COLLATE "C" NOT NULL, -- of the operation
    token      TEXT COLLATE "C" NOT NULL -- of the attempt
);
CREATE INDEX stack_answer_stack ON stack_answer (stack, token);
