-- Who is logged in at the console of a server in server mode.
CREATE TABLE console_session (
    id         TEXT COLLATE "C" PRIMARY KEY, -- the digest of what the browser has
    access_key TEXT NOT NULL,    -- whose account is shown, as long as the settings have the key
    expires    BIGINT NOT NULL
);

CREATE INDEX console_session_expires ON console_session (expires);
