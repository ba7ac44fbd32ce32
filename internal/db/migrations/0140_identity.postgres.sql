CREATE TABLE identity (
    account TEXT COLLATE "C" NOT NULL,
    kind    TEXT COLLATE "C" NOT NULL,        -- role, user, group, policy, instance-profile
    folded  TEXT COLLATE "C" NOT NULL,        -- the name in lower case
    id      TEXT COLLATE "C" NOT NULL UNIQUE, -- AROA..., AIDA...
    path    TEXT COLLATE "C" NOT NULL,
    bounded TEXT COLLATE "C" NOT NULL,        -- by the policy of this ARN; empty if by none
    body    TEXT COLLATE "C" NOT NULL,        -- JSON
    PRIMARY KEY (account, kind, folded)
);

CREATE INDEX identity_bounded ON identity (account, bounded);

CREATE TABLE identity_inline (
    account  TEXT COLLATE "C" NOT NULL,
    kind     TEXT COLLATE "C" NOT NULL, -- of the owner
    owner    TEXT COLLATE "C" NOT NULL, -- its name in lower case
    name     TEXT COLLATE "C" NOT NULL,
    document TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (account, kind, owner, name)
);

CREATE TABLE identity_version (
    account  TEXT COLLATE "C" NOT NULL,
    policy   TEXT COLLATE "C" NOT NULL, -- its name in lower case
    number   BIGINT NOT NULL,
    document TEXT COLLATE "C" NOT NULL,
    created  BIGINT NOT NULL,
    PRIMARY KEY (account, policy, number)
);

CREATE TABLE identity_attachment (
    account TEXT COLLATE "C" NOT NULL,
    kind    TEXT COLLATE "C" NOT NULL, -- of the owner
    owner   TEXT COLLATE "C" NOT NULL, -- its name in lower case
    policy  TEXT COLLATE "C" NOT NULL, -- the ARN
    PRIMARY KEY (account, kind, owner, policy)
);

CREATE INDEX identity_attachment_policy ON identity_attachment (account, policy, kind, owner);

CREATE TABLE identity_member (
    account TEXT COLLATE "C" NOT NULL,
    kind    TEXT COLLATE "C" NOT NULL, -- group, which has users, or instance-profile, which has a role
    owner   TEXT COLLATE "C" NOT NULL, -- its name in lower case
    member  TEXT COLLATE "C" NOT NULL, -- that of the user or role
    PRIMARY KEY (account, kind, owner, member)
);

CREATE INDEX identity_member_of ON identity_member (account, kind, member, owner);

CREATE TABLE identity_key (
    id      TEXT COLLATE "C" PRIMARY KEY, -- AKIA...
    account TEXT COLLATE "C" NOT NULL,
    owner   TEXT COLLATE "C" NOT NULL,    -- the user's name in lower case
    secret  TEXT COLLATE "C" NOT NULL,
    active  BOOLEAN NOT NULL,
    created BIGINT NOT NULL,
    used    BIGINT NOT NULL,  -- 0 if never
    region  TEXT COLLATE "C" NOT NULL,    -- where it was used
    service TEXT COLLATE "C" NOT NULL
);

CREATE INDEX identity_key_owner ON identity_key (account, owner, id);

CREATE TABLE identity_account (
    account  TEXT COLLATE "C" PRIMARY KEY,
    revision BIGINT NOT NULL, -- grows with every change of the account's identities
    alias    TEXT COLLATE "C" UNIQUE,
    password TEXT COLLATE "C" NOT NULL    -- the password policy, JSON; empty if there is none
);
