-- Lex V1: bots, their aliases, intents and slot types in all versions, as Lex's API was told them.
CREATE TABLE lex_v1 (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    kind        TEXT NOT NULL, -- bot, alias, intent or slot type
    bot         TEXT NOT NULL, -- of an alias; empty for all else
    name        TEXT NOT NULL,
    version     BIGINT NOT NULL, -- 0 for the one that is being worked on
    created     BIGINT NOT NULL,
    changed     BIGINT NOT NULL,
    definition  TEXT NOT NULL,
    PRIMARY KEY (account, region, kind, bot, name, version)
);
