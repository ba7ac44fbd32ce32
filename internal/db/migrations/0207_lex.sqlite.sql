-- Lex V2: what bots are made of, as Lex's API was told it, and conversations.
CREATE TABLE lex_resources (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    bot         TEXT NOT NULL,
    kind        TEXT NOT NULL, -- bot, version, alias, locale, intent, slot or slot type
    version     TEXT NOT NULL, -- of the bot; empty for bots, versions and aliases
    locale      TEXT NOT NULL, -- empty for what is of no language
    intent      TEXT NOT NULL, -- of a slot; empty for all else
    id          TEXT NOT NULL,
    name        TEXT NOT NULL,
    created     BIGINT NOT NULL,
    changed     BIGINT NOT NULL,
    built       BIGINT NOT NULL, -- a locale; 0 for one that was not
    definition  TEXT NOT NULL,
    PRIMARY KEY (account, region, bot, kind, version, locale, intent, id)
);

CREATE TABLE lex_sessions (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    bot         TEXT NOT NULL,
    alias       TEXT NOT NULL,
    locale      TEXT NOT NULL,
    id          TEXT NOT NULL,
    turn        BIGINT NOT NULL,
    expires     BIGINT NOT NULL,
    state       TEXT NOT NULL,
    PRIMARY KEY (account, region, bot, alias, locale, id)
);
