-- The tables of the first release. Text compares by bytes, as in the domain. Instants are microseconds since
-- 1970-01-01 in UTC; dates are YYYY-MM-DD.
--
-- A commit writes every page that it changes as a whole. What a group of lines of many SKUs adds is therefore
-- kept together: lines by order, events in order of arrival.

-- The programs that may write. A migration that the previous programs could write wrongly on raises the
-- generation; every unit of work reads it under its locks.
CREATE TABLE schema_generation (
    only_row INTEGER PRIMARY KEY DEFAULT 1 CHECK (only_row = 1),
    generation INTEGER NOT NULL CHECK (generation >= 1)
) STRICT;
INSERT INTO schema_generation (generation) VALUES (1);

-- The row that counts the units of work on a SKU.
CREATE TABLE products (
    sku TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL CHECK (version >= 0),
    -- The last decision. No later one is made as of an earlier instant.
    last_at INTEGER NOT NULL DEFAULT 0,
    -- Sums of the product's rows. Allocated units are not counted: they are what is purchased less what the
    -- open batches have free, so an allocation changes no sum.
    in_stock INTEGER NOT NULL DEFAULT 0 CHECK (in_stock >= 0),
    on_its_way INTEGER NOT NULL DEFAULT 0 CHECK (on_its_way >= 0),
    held INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0),
    backordered INTEGER NOT NULL DEFAULT 0 CHECK (backordered >= 0),
    picked INTEGER NOT NULL DEFAULT 0 CHECK (picked >= 0),
    -- Without any, no hold has to be searched for.
    held_lines INTEGER NOT NULL DEFAULT 0 CHECK (held_lines >= 0),
    -- Without any, no line has to be served.
    waiting_lines INTEGER NOT NULL DEFAULT 0 CHECK (waiting_lines >= 0),
    -- Lines may wait for units that are free, because one unit of work served only some of them.
    unserved INTEGER NOT NULL DEFAULT 0 CHECK (unserved IN (0, 1))
) STRICT, WITHOUT ROWID;
CREATE INDEX products_unserved ON products (sku) WHERE unserved;

-- The units of a batch are free, allocated, picked, shipped or missing.
CREATE TABLE batches (
    sku TEXT NOT NULL REFERENCES products (sku),
    reference TEXT NOT NULL,
    purchased_quantity INTEGER NOT NULL CHECK (purchased_quantity BETWEEN 0 AND 2147483647),
    allocated_quantity INTEGER NOT NULL DEFAULT 0,
    picked_quantity INTEGER NOT NULL DEFAULT 0,
    shipped_quantity INTEGER NOT NULL DEFAULT 0,
    missing_quantity INTEGER NOT NULL DEFAULT 0,
    -- Null: in stock.
    eta TEXT,
    added_at INTEGER NOT NULL,
    -- Counts corrections; allocations do not count.
    revision INTEGER NOT NULL DEFAULT 1 CHECK (revision BETWEEN 1 AND 2147483647),
    -- The rest of a correction whose lines are moved in steps, as JSON; null in nearly all rows.
    moving TEXT,
    -- It changes only when a batch fills up or has free units again, and so does its index.
    is_open INTEGER NOT NULL GENERATED ALWAYS AS (
        allocated_quantity + picked_quantity + shipped_quantity + missing_quantity < purchased_quantity
    ) STORED,
    PRIMARY KEY (sku, reference),
    CONSTRAINT batches_not_oversold CHECK (
        allocated_quantity >= 0 AND picked_quantity >= 0 AND shipped_quantity >= 0 AND missing_quantity >= 0
        AND allocated_quantity + picked_quantity + shipped_quantity + missing_quantity <= purchased_quantity
    )
) STRICT, WITHOUT ROWID;
-- Batches with free units, in order of preference (SQLite sorts NULL first).
CREATE INDEX batches_open ON batches (sku, eta, added_at, reference) WHERE is_open;
-- Lists, in the order in which batches were added.
CREATE INDEX batches_by_added_at ON batches (added_at, reference);
CREATE INDEX batches_by_sku_and_added_at ON batches (sku, added_at, reference);
-- Inbound batches by date: those before today are overdue.
CREATE INDEX batches_due ON batches (eta, added_at, reference) WHERE eta IS NOT NULL;
CREATE INDEX batches_due_by_sku ON batches (sku, eta, added_at, reference) WHERE eta IS NOT NULL;
CREATE INDEX batches_moving ON batches (sku, reference) WHERE moving IS NOT NULL;

-- A reference names one batch, whatever its SKU. What the batch was added with distinguishes a retry from
-- another batch of that name.
CREATE TABLE batch_references (
    reference TEXT NOT NULL PRIMARY KEY,
    sku TEXT NOT NULL,
    purchased_quantity INTEGER NOT NULL CHECK (purchased_quantity BETWEEN 1 AND 2147483647),
    eta TEXT
) STRICT, WITHOUT ROWID;

-- What was sent as one order, which distinguishes a retry from another order of that name.
CREATE TABLE orders (
    order_id TEXT NOT NULL PRIMARY KEY,
    -- SKUs and quantities as JSON, [["SKU", 1], ...], sorted by SKU.
    lines TEXT NOT NULL,
    priority INTEGER NOT NULL CHECK (priority BETWEEN -2147483648 AND 2147483647),
    backorders INTEGER NOT NULL CHECK (backorders IN (0, 1)),
    allow_split INTEGER NOT NULL CHECK (allow_split IN (0, 1)),
    hold_seconds INTEGER CHECK (hold_seconds >= 1),
    placed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A standalone line has all the defaults except for the instant at which it was placed.
CREATE TABLE order_lines (
    sku TEXT NOT NULL,
    order_id TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 2147483647),
    placed_at INTEGER NOT NULL DEFAULT 0,
    of_order INTEGER NOT NULL DEFAULT 0 CHECK (of_order IN (0, 1)),
    -- ~priority: the line with the smallest one is served first.
    precedence INTEGER NOT NULL DEFAULT -1 CHECK (precedence BETWEEN -2147483648 AND 2147483647),
    -- Whether the line asks to wait for what it lacks.
    backorders INTEGER NOT NULL DEFAULT 0 CHECK (backorders IN (0, 1)),
    allow_split INTEGER NOT NULL DEFAULT 1 CHECK (allow_split IN (0, 1)),
    -- The units that it waits for.
    waiting INTEGER NOT NULL DEFAULT 0 CHECK (waiting BETWEEN 0 AND quantity),
    -- The end of its hold. A line without one is firm, unless it has ended.
    expires_at INTEGER,
    ended TEXT CHECK (ended IS NULL OR (ended IN ('expired', 'cancelled') AND expires_at IS NULL AND waiting = 0)),
    -- Units on pick lists, which are still allocated; units that were picked and shipped, which are not.
    listed INTEGER NOT NULL DEFAULT 0 CHECK (listed >= 0),
    picked INTEGER NOT NULL DEFAULT 0 CHECK (picked >= 0),
    shipped INTEGER NOT NULL DEFAULT 0 CHECK (shipped >= 0 AND listed + picked + shipped + waiting <= quantity),
    -- The batch that has all allocated units of the line, and their number. A split line has none here, but a row
    -- of `line_parts` for each batch.
    reference TEXT,
    allocated INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (order_id, sku),
    CONSTRAINT order_lines_allocated CHECK (
        CASE WHEN reference IS NULL THEN allocated = 0
             ELSE allocated >= 1 AND allocated + picked + shipped + waiting <= quantity END
    )
) STRICT, WITHOUT ROWID;
-- The lines of a product.
CREATE INDEX order_lines_by_sku ON order_lines (sku, order_id);
-- The lines of a batch, in the order of service. Without the SKU, which the reference implies: with it, the
-- planner takes the index for as good a way to a line as the primary key.
CREATE INDEX order_lines_by_batch ON order_lines (reference, precedence, placed_at, order_id)
WHERE reference IS NOT NULL;
-- A firm line that has all its units has no entry in the indexes below.
--
-- The expired lines of a product, and the products that have any.
CREATE INDEX order_lines_expiring ON order_lines (sku, expires_at, order_id) WHERE expires_at IS NOT NULL;
CREATE INDEX order_lines_by_expiry ON order_lines (expires_at, sku) WHERE expires_at IS NOT NULL;
-- The queue, in the order of service.
CREATE INDEX order_lines_queue ON order_lines (sku, precedence, placed_at, order_id) WHERE waiting > 0;
-- Lines that take parts of what they wait for, in the order of service.
CREATE INDEX order_lines_parts ON order_lines (sku, precedence, placed_at, order_id)
WHERE waiting > 0 AND allow_split;
-- Lines that take only their whole rest, by its size: a line that waits for more than is free is not read.
CREATE INDEX order_lines_whole ON order_lines (sku, waiting, precedence, placed_at, order_id)
WHERE waiting > 0 AND NOT allow_split;
-- Orders that may have a status, without those of the past.
CREATE INDEX order_lines_by_order_held ON order_lines (order_id, sku) WHERE expires_at IS NOT NULL;
CREATE INDEX order_lines_by_order_waiting ON order_lines (order_id, sku) WHERE waiting > 0;
CREATE INDEX order_lines_by_order_ended ON order_lines (order_id, sku) WHERE ended IS NOT NULL;
CREATE INDEX order_lines_by_order_picked ON order_lines (order_id, sku) WHERE picked > 0;

-- The allocations of split lines, one row for each batch, with the line's place in the order of service.
CREATE TABLE line_parts (
    sku TEXT NOT NULL,
    order_id TEXT NOT NULL,
    reference TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 2147483647),
    precedence INTEGER NOT NULL CHECK (precedence BETWEEN -2147483648 AND 2147483647),
    placed_at INTEGER NOT NULL,
    PRIMARY KEY (sku, order_id, reference)
) STRICT, WITHOUT ROWID;
CREATE INDEX line_parts_by_batch ON line_parts (reference, precedence, placed_at, order_id);

-- The units that lines have of batches. The condition is outside the union: PostgreSQL merges the sorted index
-- entries of both tables only if neither branch has one.
CREATE VIEW allocations AS
SELECT * FROM (
    SELECT sku, order_id, reference, allocated AS quantity, precedence, placed_at FROM order_lines
    UNION ALL
    SELECT sku, order_id, reference, quantity, precedence, placed_at FROM line_parts
) AS a
WHERE quantity > 0;

-- In place of a foreign key, which would search for the batch with every allocation: the unit of work that adds
-- an allocation also changes the counter of its batch, and this keeps the batch.
CREATE TRIGGER batches_keep_allocated AFTER DELETE ON batches
WHEN EXISTS (SELECT 1 FROM order_lines WHERE reference = OLD.reference)
  OR EXISTS (SELECT 1 FROM line_parts WHERE reference = OLD.reference)
BEGIN
    SELECT RAISE(ABORT, 'trigger constraint failed: batches_keep_allocated');
END;

CREATE TABLE pick_lists (
    list_id TEXT NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL,
    -- The criteria as sent, which distinguish a retry from another list: batches, SKUs, orders (null: any) and
    -- the number of lines, as JSON.
    request TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- They may outlive their order line and their batch.
CREATE TABLE pick_list_lines (
    list_id TEXT NOT NULL,
    line INTEGER NOT NULL CHECK (line BETWEEN 1 AND 2147483647),
    sku TEXT NOT NULL,
    order_id TEXT NOT NULL,
    reference TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 2147483647),
    picked INTEGER NOT NULL DEFAULT 0,
    status TEXT NOT NULL DEFAULT 'open',
    PRIMARY KEY (list_id, line),
    CONSTRAINT pick_list_lines_picked CHECK (picked BETWEEN 0 AND quantity),
    CONSTRAINT pick_list_lines_status CHECK (
        status IN ('open', 'picked', 'missing', 'shipped', 'withdrawn')
        AND (picked > 0) = (status IN ('picked', 'shipped'))
    )
) STRICT, WITHOUT ROWID;
-- The pick lines of an order line.
CREATE INDEX pick_list_lines_by_line ON pick_list_lines (sku, order_id);
-- Lists that are open, and those that wait to be shipped, without those of the past.
CREATE INDEX pick_list_lines_open ON pick_list_lines (list_id) WHERE status = 'open';
CREATE INDEX pick_list_lines_to_ship ON pick_list_lines (list_id) WHERE status = 'picked';

-- Committed blocks of events without a position, in the order in which they were written. The events of a unit
-- of work are one block, or several if they are many.
CREATE TABLE outbox_blocks (
    id INTEGER PRIMARY KEY,
    event_count INTEGER NOT NULL CHECK (event_count >= 1),
    -- When the first event occurred; the others occurred within a second of it.
    occurred_at INTEGER NOT NULL,
    -- The types in the block, separated by commas.
    types TEXT NOT NULL,
    -- Hashes of the orders, batches and products that the events are about, as a JSON array.
    keys TEXT NOT NULL,
    -- Hashes of the commands that caused the events; most blocks have none.
    causes TEXT,
    -- A JSON array of arrays: SKU, version, ordinal, microseconds after the block's instant, type, order id,
    -- reference of a batch, traceparent, causation id, event.
    events TEXT NOT NULL
) STRICT;

-- The log. One process at a time moves blocks here and assigns a range of positions to each, so all readers see
-- one order and never an event after a later one.
CREATE TABLE event_blocks (
    first_position INTEGER NOT NULL PRIMARY KEY,
    event_count INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL,
    types TEXT NOT NULL,
    keys TEXT NOT NULL,
    causes TEXT,
    events TEXT NOT NULL
) STRICT;

-- The blocks of a key: of what their events are about, and of what caused them.
CREATE TABLE event_keys (
    key INTEGER NOT NULL,
    first_position INTEGER NOT NULL,
    PRIMARY KEY (key, first_position)
) STRICT, WITHOUT ROWID;

-- Events one by one, for people and reports; the service reads blocks.
CREATE VIEW outbox AS
SELECT b.id, e.value ->> 0 AS sku, e.value ->> 1 AS version, e.value ->> 2 AS ordinal,
       b.occurred_at + (e.value ->> 3) AS occurred_at, e.value ->> 4 AS type, e.value ->> 5 AS order_id,
       e.value ->> 6 AS reference, e.value ->> 7 AS traceparent, e.value ->> 8 AS causation_id,
       e.value -> 9 AS payload
FROM outbox_blocks AS b, json_each(b.events) AS e;

CREATE VIEW events AS
SELECT b.first_position + e.key AS position, e.value ->> 0 AS sku, e.value ->> 1 AS version,
       e.value ->> 2 AS ordinal, b.occurred_at + (e.value ->> 3) AS occurred_at, e.value ->> 4 AS type,
       e.value ->> 5 AS order_id, e.value ->> 6 AS reference, e.value ->> 7 AS traceparent,
       e.value ->> 8 AS causation_id, e.value -> 9 AS payload
FROM event_blocks AS b, json_each(b.events) AS e;

-- Every retained event, with a position or without.
CREATE VIEW all_events AS
SELECT sku, version, ordinal, type, order_id, payload, occurred_at FROM events
UNION ALL
SELECT sku, version, ordinal, type, order_id, payload, occurred_at FROM outbox;

-- The ends of the log. In an empty log, the oldest position is the next one.
CREATE TABLE event_log (
    only_row INTEGER NOT NULL PRIMARY KEY DEFAULT 1 CHECK (only_row = 1),
    last_position INTEGER NOT NULL,
    oldest_position INTEGER NOT NULL,
    -- Follows the clock no faster than time passes. Null before it is first read.
    retention_time INTEGER,
    CHECK (oldest_position BETWEEN 1 AND last_position + 1)
) STRICT;
INSERT INTO event_log (last_position, oldest_position) VALUES (0, 1);

-- All events up to the checkpoint are delivered or parked.
CREATE TABLE relay (
    only_row INTEGER PRIMARY KEY DEFAULT 1 CHECK (only_row = 1),
    checkpoint INTEGER NOT NULL CHECK (checkpoint >= 0)
) STRICT;
INSERT INTO relay (checkpoint) VALUES (0);

CREATE TABLE parked_events (
    position INTEGER PRIMARY KEY,
    reason TEXT NOT NULL,
    parked_at INTEGER NOT NULL,
    -- Whether it is to be sent again.
    retry INTEGER NOT NULL DEFAULT 0 CHECK (retry IN (0, 1))
) STRICT;
CREATE INDEX parked_events_to_retry ON parked_events (position) WHERE retry;

-- Rights that one process has at a time, with their expiry by the clock of the database.
CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A row that a replica writes once a second, to detect that a write succeeds.
CREATE TABLE heartbeat (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    beats INTEGER NOT NULL CHECK (beats >= 0)
) STRICT;
INSERT INTO heartbeat (id, beats) VALUES (1, 0);
