-- The skills of Alexa, by their manifests.
CREATE TABLE alexa_skill (
    id          TEXT COLLATE "C" NOT NULL,
    manifest    TEXT NOT NULL,
    changed     BIGINT NOT NULL,
    PRIMARY KEY (id)
);
