CREATE TABLE identity (
    account TEXT NOT NULL,
    kind    TEXT NOT NULL,        -- role, user, group, policy, instance-profile
    folded  TEXT NOT NULL,        -- the name in lower case
    id      TEXT NOT NULL UNIQUE, -- AROA..., AIDA...
    path    TEXT NOT NULL,
    bounded TEXT NOT NULL,        -- by the policy of this ARN; empty if by none
    body    TEXT NOT NULL,        -- JSON
    PRIMARY KEY (account, kind, folded)
) WITHOUT ROWID;

CREATE INDEX identity_bounded ON identity (account, bounded);

CREATE TABLE identity_inline (
    account  TEXT NOT NULL,
    kind     TEXT NOT NULL, -- of the owner
    owner    TEXT NOT NULL, -- its name in lower case
    name     TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (account, kind, owner, name)
) WITHOUT ROWID;

CREATE TABLE identity_version (
    account  TEXT NOT NULL,
    policy   TEXT NOT NULL, -- its name in lower case
    number   BIGINT NOT NULL,
    document TEXT NOT NULL,
    created  BIGINT NOT NULL,
    PRIMARY KEY (account, policy, number)
) WITHOUT ROWID;

CREATE TABLE identity_attachment (
    account TEXT NOT NULL,
    kind    TEXT NOT NULL, -- of the owner
    owner   TEXT NOT NULL, -- its name in lower case
    policy  TEXT NOT NULL, -- the ARN
    PRIMARY KEY (account, kind, owner, policy)
) WITHOUT ROWID;

CREATE INDEX identity_attachment_policy ON identity_attachment (account, policy, kind, owner);

CREATE TABLE identity_member (
    account TEXT NOT NULL,
    kind    TEXT NOT NULL, -- group, which has users, or instance-profile, which has a role
    owner   TEXT NOT NULL, -- its name in lower case
    member  TEXT NOT NULL, -- that of the user or role
    PRIMARY KEY (account, kind, owner, member)
) WITHOUT ROWID;

CREATE INDEX identity_member_of ON identity_member (account, kind, member, owner);

CREATE TABLE identity_key (
    id      TEXT PRIMARY KEY, -- AKIA...
    account TEXT NOT NULL,
    owner   TEXT NOT NULL,    -- the user's name in lower case
    secret  TEXT NOT NULL,
    active  BOOLEAN NOT NULL,
    created BIGINT NOT NULL,
    used    BIGINT NOT NULL,  -- 0 if never
    region  TEXT NOT NULL,    -- where it was used
    service TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX identity_key_owner ON identity_key (account, owner, id);

CREATE TABLE identity_account (
    account  TEXT PRIMARY KEY,
    revision BIGINT NOT NULL, -- grows with every change of the account's identities
    alias    TEXT UNIQUE,
    password TEXT NOT NULL    -- the password policy, JSON; empty if there is none
) WITHOUT ROWID;
