-- How far the relay to a broker has come in the log, and what it has put aside.

-- In one row: all events up to the bookmark are delivered or parked.
CREATE TABLE relay (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    bookmark bigint NOT NULL CHECK (bookmark >= 0)
);
INSERT INTO relay (bookmark) VALUES (0);

CREATE TABLE parked_events (
    position bigint PRIMARY KEY,
    reason text COLLATE "C" NOT NULL,
    parked_at bigint NOT NULL,
    -- Whether it is to be sent again.
    retry boolean NOT NULL DEFAULT false
);
CREATE INDEX parked_events_to_retry ON parked_events (position) WHERE retry;

-- What a command has done already is known by the events that it has caused. Most have no cause, and
-- no entry.
CREATE INDEX events_by_cause ON events (causation_id, type) WHERE causation_id IS NOT NULL;
CREATE INDEX outbox_by_cause ON outbox (causation_id, type) WHERE causation_id IS NOT NULL;
