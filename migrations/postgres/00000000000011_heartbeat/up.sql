-- A row that a replica writes once a second, to know that a write succeeds.
CREATE TABLE heartbeat (
    id boolean PRIMARY KEY CHECK (id),
    beats bigint NOT NULL CHECK (beats >= 0)
) WITH (fillfactor = 10);
INSERT INTO heartbeat (id, beats) VALUES (true, 0);
