-- The log of events: those that were committed get their positions here, afterwards and by one
-- process at a time, so that all readers see one order and never a later event before an earlier one.
-- `outbox` is what an allocation writes, and keeps what has no position yet.

-- Where the command came from. A line that comes from nowhere in particular leaves them out.
ALTER TABLE outbox
    ADD COLUMN traceparent text COLLATE "C",
    ADD COLUMN causation_id text COLLATE "C";

-- The history of an order reads the log by its order, and of `outbox` the products in which the order
-- has lines. Of a line that is forgotten the last events may still be here.
DROP INDEX outbox_by_order;
CREATE INDEX outbox_departures ON outbox (order_id) WHERE type IN ('deallocated', 'wait_ended');

CREATE TABLE events (
    position bigint PRIMARY KEY,
    sku text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    ordinal integer NOT NULL,
    type text COLLATE "C" NOT NULL,
    order_id text COLLATE "C",
    -- The batch that the event is about, if it is about no order.
    reference text COLLATE "C",
    payload text COLLATE "C" NOT NULL,
    occurred_at bigint NOT NULL,
    traceparent text COLLATE "C",
    causation_id text COLLATE "C"
);
-- The history of an order, which has few events: their order is left to whoever reads them.
CREATE INDEX events_by_order ON events (order_id) WHERE order_id IS NOT NULL;
-- Readers who ask for what is about a batch or a product alone. The events of lines, which are nearly
-- all, have no entry here.
CREATE INDEX events_by_reference ON events (reference, position) WHERE reference IS NOT NULL;
CREATE INDEX events_of_products ON events (sku, position) WHERE order_id IS NULL AND reference IS NULL;

-- The ends of the log, in one row. With no event in it, the oldest is the one to come.
CREATE TABLE event_log (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    last_position bigint NOT NULL,
    oldest_position bigint NOT NULL,
    CHECK (oldest_position BETWEEN 1 AND last_position + 1)
);
INSERT INTO event_log (last_position, oldest_position) VALUES (0, 1);

-- What one process at a time may do, and until when, by the clock of the database.
CREATE TABLE leases (
    name text COLLATE "C" PRIMARY KEY,
    holder text COLLATE "C" NOT NULL,
    expires_at bigint NOT NULL
);

-- Every event that is retained, with a position or not yet.
CREATE VIEW all_events AS
SELECT sku, version, ordinal, type, order_id, payload, occurred_at FROM events
UNION ALL
SELECT sku, version, ordinal, type, order_id, payload, occurred_at FROM outbox;
