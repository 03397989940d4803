-- How far the relay to a broker has come in the log, and what it has put aside.

-- In one row: all events up to the bookmark are delivered or parked.
CREATE TABLE relay (
    only_row INTEGER PRIMARY KEY DEFAULT 1 CHECK (only_row = 1),
    bookmark INTEGER NOT NULL CHECK (bookmark >= 0)
) STRICT;
INSERT INTO relay (bookmark) VALUES (0);

CREATE TABLE parked_events (
    position INTEGER PRIMARY KEY,
    reason TEXT NOT NULL,
    parked_at INTEGER NOT NULL,
    -- Whether it is to be sent again.
    retry INTEGER NOT NULL DEFAULT 0 CHECK (retry IN (0, 1))
) STRICT;
CREATE INDEX parked_events_to_retry ON parked_events (position) WHERE retry;

-- What a command has done already is known by the events that it has caused. Most have no cause, and
-- no entry.
CREATE INDEX events_by_cause ON events (causation_id, type) WHERE causation_id IS NOT NULL;
CREATE INDEX outbox_by_cause ON outbox (causation_id, type) WHERE causation_id IS NOT NULL;
