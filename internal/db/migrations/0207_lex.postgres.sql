-- Lex V2: what bots are made of, as Lex's API was told it, and conversations.
CREATE TABLE lex_resources (
    account     TEXT COLLATE "C" NOT NULL,
    region      TEXT COLLATE "C" NOT NULL,
    bot         TEXT COLLATE "C" NOT NULL,
    kind        TEXT COLLATE "C" NOT NULL, -- bot, version, alias, locale, intent, slot or slot type
    version     TEXT COLLATE "C" NOT NULL, -- of the bot; empty for bots, versions and aliases
    locale      TEXT COLLATE "C" NOT NULL, -- empty for what is of no language
    intent      TEXT COLLATE "C" NOT NULL, -- of a slot; empty for all else
    id          TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    created     BIGINT NOT NULL,
    changed     BIGINT NOT NULL,
    built       BIGINT NOT NULL, -- a locale; 0 for one that was not
    definition  TEXT NOT NULL,
    PRIMARY KEY (account, region, bot, kind, version, locale, intent, id)
);

CREATE TABLE lex_sessions (
    account     TEXT COLLATE "C" NOT NULL,
    region      TEXT COLLATE "C" NOT NULL,
    bot         TEXT COLLATE "C" NOT NULL,
    alias       TEXT COLLATE "C" NOT NULL,
    locale      TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    turn        BIGINT NOT NULL,
    expires     BIGINT NOT NULL,
    state       TEXT NOT NULL,
    PRIMARY KEY (account, region, bot, alias, locale, id)
);
