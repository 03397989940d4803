-- A row that a replica writes once a second, to know that a write succeeds.
CREATE TABLE heartbeat (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    beats INTEGER NOT NULL CHECK (beats >= 0)
) STRICT;
INSERT INTO heartbeat (id, beats) VALUES (1, 0);
