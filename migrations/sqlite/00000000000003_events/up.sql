-- The log of events: those that were committed get their positions here, afterwards and by one
-- process at a time, so that all readers see one order and never a later event before an earlier one.
-- `outbox` is what an allocation writes, and keeps what has no position yet, in the order in which it
-- was written: that of the row ids.

-- Where the command came from. A line that comes from nowhere in particular leaves them out.
ALTER TABLE outbox ADD COLUMN traceparent TEXT;
ALTER TABLE outbox ADD COLUMN causation_id TEXT;

-- What has no position yet is looked through for the history of an order: it is little.
DROP INDEX outbox_by_order;

CREATE TABLE events (
    position INTEGER NOT NULL PRIMARY KEY,
    sku TEXT NOT NULL,
    version INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    type TEXT NOT NULL,
    order_id TEXT,
    -- The batch that the event is about, if it is about no order.
    reference TEXT,
    payload TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    traceparent TEXT,
    causation_id TEXT
) STRICT;
-- The history of an order, which has few events: their order is left to whoever reads them.
CREATE INDEX events_by_order ON events (order_id) WHERE order_id IS NOT NULL;
-- Readers who ask for what is about a batch or a product alone. The events of lines, which are nearly
-- all, have no entry here. Entries of one name are in the order of their
-- positions, which are the row ids.
CREATE INDEX events_by_reference ON events (reference) WHERE reference IS NOT NULL;
CREATE INDEX events_of_products ON events (sku) WHERE order_id IS NULL AND reference IS NULL;

-- The ends of the log, in one row. With no event in it, the oldest is the one to come.
CREATE TABLE event_log (
    only_row INTEGER NOT NULL PRIMARY KEY DEFAULT 1 CHECK (only_row = 1),
    last_position INTEGER NOT NULL,
    oldest_position INTEGER NOT NULL,
    CHECK (oldest_position BETWEEN 1 AND last_position + 1)
) STRICT;
INSERT INTO event_log (last_position, oldest_position) VALUES (0, 1);

-- What one process at a time may do, and until when, by the clock of the database.
CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Every event that is retained, with a position or not yet.
CREATE VIEW all_events AS
SELECT sku, version, ordinal, type, order_id, payload, occurred_at FROM events
UNION ALL
SELECT sku, version, ordinal, type, order_id, payload, occurred_at FROM outbox;
