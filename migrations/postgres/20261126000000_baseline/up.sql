-- The tables of the first release. Text compares by bytes (COLLATE "C"), as in the domain. Instants are
-- microseconds since 1970-01-01 in UTC.

-- The programs that may write. A migration that the previous programs could write wrongly on raises the
-- generation; every unit of work reads it under its locks.
CREATE TABLE schema_generation (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    generation bigint NOT NULL CHECK (generation >= 1)
);
INSERT INTO schema_generation (generation) VALUES (1);

-- The row that serialises the writers of a SKU. Every unit of work rewrites it, so its pages are half
-- empty: the new version stays on the page, and no index is written (HOT).
CREATE TABLE products (
    sku text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL CHECK (version >= 0),
    -- The last decision. No later one is made as of an earlier instant.
    last_at bigint NOT NULL DEFAULT 0,
    -- Sums of the product's rows. Allocated units are not counted: they are what is purchased less what the
    -- open batches have free, so an allocation changes no sum.
    in_stock bigint NOT NULL DEFAULT 0,
    on_its_way bigint NOT NULL DEFAULT 0,
    held bigint NOT NULL DEFAULT 0,
    backordered bigint NOT NULL DEFAULT 0,
    picked bigint NOT NULL DEFAULT 0,
    -- Without any, no hold has to be searched for.
    held_lines bigint NOT NULL DEFAULT 0,
    -- Without any, no line has to be served.
    waiting_lines bigint NOT NULL DEFAULT 0,
    -- Lines may wait for units that are free, because one unit of work served only some of them.
    unserved boolean NOT NULL DEFAULT false,
    CONSTRAINT products_totals CHECK (
        in_stock >= 0 AND on_its_way >= 0 AND held >= 0 AND backordered >= 0 AND picked >= 0
        AND held_lines >= 0 AND waiting_lines >= 0
    )
) WITH (fillfactor = 50);
CREATE INDEX products_unserved ON products (sku) WHERE unserved;

-- The units of a batch are free, allocated, picked, shipped or missing.
CREATE TABLE batches (
    sku text COLLATE "C" NOT NULL REFERENCES products (sku),
    reference text COLLATE "C" NOT NULL,
    purchased_quantity integer NOT NULL CHECK (purchased_quantity >= 0),
    allocated_quantity integer NOT NULL DEFAULT 0,
    picked_quantity integer NOT NULL DEFAULT 0,
    shipped_quantity integer NOT NULL DEFAULT 0,
    missing_quantity integer NOT NULL DEFAULT 0,
    -- Null: in stock.
    eta date,
    added_at bigint NOT NULL,
    -- Counts corrections; allocations do not count.
    revision integer NOT NULL DEFAULT 1 CHECK (revision >= 1),
    -- The rest of a correction whose lines are moved in steps, as JSON; null in nearly all rows.
    moving text COLLATE "C",
    -- A column of its own: an index whose predicate names the counters would be written with each of their
    -- changes. This changes only when a batch fills up or has free units again.
    is_open boolean NOT NULL GENERATED ALWAYS AS (
        allocated_quantity + picked_quantity + shipped_quantity + missing_quantity < purchased_quantity
    ) STORED,
    PRIMARY KEY (sku, reference),
    CONSTRAINT batches_not_oversold CHECK (
        allocated_quantity >= 0 AND picked_quantity >= 0 AND shipped_quantity >= 0 AND missing_quantity >= 0
        AND allocated_quantity + picked_quantity + shipped_quantity + missing_quantity <= purchased_quantity
    )
) WITH (fillfactor = 70);
-- Batches with free units, in order of preference.
CREATE INDEX batches_open ON batches (sku, eta NULLS FIRST, added_at, reference) WHERE is_open;
-- Lists, in the order in which batches were added.
CREATE INDEX batches_by_added_at ON batches (added_at, reference);
CREATE INDEX batches_by_sku_and_added_at ON batches (sku, added_at, reference);
-- Inbound batches by date: those before today are overdue.
CREATE INDEX batches_due ON batches (eta, added_at, reference) WHERE eta IS NOT NULL;
CREATE INDEX batches_due_by_sku ON batches (sku, eta, added_at, reference) WHERE eta IS NOT NULL;
CREATE INDEX batches_moving ON batches (sku, reference) WHERE moving IS NOT NULL;
-- Otherwise the planner takes a SKU for nearly unique, because most SKUs have few batches, and walks through
-- one that has thousands.
ALTER TABLE batches ALTER COLUMN sku SET (n_distinct = 100);

-- A reference names one batch, whatever its SKU. What the batch was added with distinguishes a retry from
-- another batch of that name.
CREATE TABLE batch_references (
    reference text COLLATE "C" PRIMARY KEY,
    sku text COLLATE "C" NOT NULL,
    purchased_quantity integer NOT NULL CHECK (purchased_quantity >= 1),
    eta date
);

-- What was sent as one order, which distinguishes a retry from another order of that name.
CREATE TABLE orders (
    order_id text COLLATE "C" PRIMARY KEY,
    -- SKUs and quantities as JSON, [["SKU", 1], ...], sorted by SKU.
    lines text COLLATE "C" NOT NULL,
    priority integer NOT NULL,
    backorders boolean NOT NULL,
    allow_split boolean NOT NULL,
    hold_seconds integer CHECK (hold_seconds >= 1),
    placed_at bigint NOT NULL
);

-- A standalone line has all the defaults except for the instant at which it was placed.
CREATE TABLE order_lines (
    sku text COLLATE "C" NOT NULL,
    order_id text COLLATE "C" NOT NULL,
    quantity integer NOT NULL CHECK (quantity >= 1),
    placed_at bigint NOT NULL DEFAULT 0,
    of_order boolean NOT NULL DEFAULT false,
    -- ~priority: the line with the smallest one is served first.
    precedence integer NOT NULL DEFAULT -1,
    -- Whether the line asks to wait for what it lacks.
    backorders boolean NOT NULL DEFAULT false,
    allow_split boolean NOT NULL DEFAULT true,
    -- The units that it waits for.
    waiting integer NOT NULL DEFAULT 0,
    -- The end of its hold. A line without one is firm, unless it has ended.
    expires_at bigint,
    ended text COLLATE "C",
    -- Units on pick lists, which are still allocated; units that were picked and shipped, which are not.
    listed integer NOT NULL DEFAULT 0,
    picked integer NOT NULL DEFAULT 0,
    shipped integer NOT NULL DEFAULT 0,
    -- The batch that has all allocated units of the line, and their number. A split line has none here, but a row
    -- of `line_parts` for each batch.
    reference text COLLATE "C",
    allocated integer NOT NULL DEFAULT 0,
    -- One line of each order, the anchor, has an empty slot; every other has the slot of its SKU. A new line
    -- locks the anchor or becomes it, so two units of work that add the first line of an order meet here.
    order_slot text COLLATE "C" NOT NULL DEFAULT '',
    PRIMARY KEY (sku, order_id),
    CONSTRAINT order_lines_waiting CHECK (waiting BETWEEN 0 AND quantity),
    CONSTRAINT order_lines_ended CHECK (
        ended IS NULL OR (ended IN ('expired', 'cancelled') AND expires_at IS NULL AND waiting = 0)
    ),
    CONSTRAINT order_lines_fulfilment CHECK (
        listed >= 0 AND picked >= 0 AND shipped >= 0 AND listed + picked + shipped + waiting <= quantity
    ),
    CONSTRAINT order_lines_allocated CHECK (
        CASE WHEN reference IS NULL THEN allocated = 0
             ELSE allocated >= 1 AND allocated + picked + shipped + waiting <= quantity END
    )
);
CREATE UNIQUE INDEX order_lines_by_order ON order_lines (order_id, order_slot);
-- The lines of a batch, in the order of service. Without the SKU, which the reference implies: with it, the
-- planner takes the index for as good a way to a line as the primary key.
CREATE INDEX order_lines_by_batch ON order_lines (reference, precedence, placed_at, order_id)
WHERE reference IS NOT NULL;
-- A firm line that has all its units has no entry in the indexes below. Of two indexes that seem to cost the
-- same, the planner takes the newer one, so they follow the index of all lines.
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
-- Otherwise the planner takes an order for nearly unique and walks through the largest to find one line.
ALTER TABLE order_lines ALTER COLUMN order_id SET (n_distinct = 1000);

-- The allocations of split lines, one row for each batch, with the line's place in the order of service.
CREATE TABLE line_parts (
    sku text COLLATE "C" NOT NULL,
    order_id text COLLATE "C" NOT NULL,
    reference text COLLATE "C" NOT NULL,
    quantity integer NOT NULL CHECK (quantity >= 1),
    precedence integer NOT NULL,
    placed_at bigint NOT NULL,
    PRIMARY KEY (sku, order_id, reference)
);
CREATE INDEX line_parts_by_batch ON line_parts (reference, precedence, placed_at, order_id);
ALTER TABLE line_parts ALTER COLUMN sku SET (n_distinct = 100);

-- The units that lines have of batches. The condition is outside the union: PostgreSQL merges the sorted index
-- entries of both tables only if neither branch has one.
CREATE VIEW allocations AS
SELECT * FROM (
    SELECT sku, order_id, reference, allocated AS quantity, precedence, placed_at FROM order_lines
    UNION ALL
    SELECT sku, order_id, reference, quantity, precedence, placed_at FROM line_parts
) AS a
WHERE quantity > 0;

-- In place of a foreign key, which would lock the batch once more with every allocation: the statement that
-- adds an allocation also changes the counter of its batch, and this keeps the batch.
CREATE FUNCTION keep_allocated_batch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM allocations WHERE reference = OLD.reference) THEN
        RAISE EXCEPTION 'batch % has allocations', OLD.reference
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'batches_keep_allocated';
    END IF;
    RETURN NULL;
END
$$;
-- After the statement, which may have removed the allocations as well.
CREATE TRIGGER batches_keep_allocated AFTER DELETE ON batches
FOR EACH ROW EXECUTE FUNCTION keep_allocated_batch();

CREATE TABLE pick_lists (
    list_id text COLLATE "C" PRIMARY KEY,
    created_at bigint NOT NULL,
    -- The criteria as sent, which distinguish a retry from another list: batches, SKUs, orders (null: any) and
    -- the number of lines, as JSON.
    request text COLLATE "C" NOT NULL
);

-- They may outlive their order line and their batch.
CREATE TABLE pick_list_lines (
    list_id text COLLATE "C" NOT NULL,
    line integer NOT NULL CHECK (line >= 1),
    sku text COLLATE "C" NOT NULL,
    order_id text COLLATE "C" NOT NULL,
    reference text COLLATE "C" NOT NULL,
    quantity integer NOT NULL CHECK (quantity >= 1),
    picked integer NOT NULL DEFAULT 0,
    status text COLLATE "C" NOT NULL DEFAULT 'open',
    PRIMARY KEY (list_id, line),
    CONSTRAINT pick_list_lines_picked CHECK (picked BETWEEN 0 AND quantity),
    CONSTRAINT pick_list_lines_status CHECK (
        status IN ('open', 'picked', 'missing', 'shipped', 'withdrawn')
        AND (picked > 0) = (status IN ('picked', 'shipped'))
    )
);
-- The pick lines of an order line.
CREATE INDEX pick_list_lines_by_line ON pick_list_lines (sku, order_id);
ALTER TABLE pick_list_lines ALTER COLUMN sku SET (n_distinct = 100);
-- Lists that are open, and those that wait to be shipped, without those of the past.
CREATE INDEX pick_list_lines_open ON pick_list_lines (list_id) WHERE status = 'open';
CREATE INDEX pick_list_lines_to_ship ON pick_list_lines (list_id) WHERE status = 'picked';

-- Committed blocks of events without a position. The events of a unit of work are one block, or several if they
-- are many. Units that share a product wait for each other's lock, so the ids of their blocks are in the order
-- in which they were written.
CREATE TABLE outbox_blocks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_count integer NOT NULL CHECK (event_count >= 1),
    -- When the first event occurred; the others occurred within a second of it.
    occurred_at bigint NOT NULL,
    -- The types in the block, separated by commas.
    types text COLLATE "C" NOT NULL,
    -- Hashes of the orders, batches and products that the events are about.
    keys integer[] NOT NULL,
    -- Hashes of the commands that caused the events; most have none.
    causes integer[],
    -- A JSON array of arrays: SKU, version, ordinal, microseconds after the block's instant, type, order id,
    -- reference of a batch, traceparent, causation id, event.
    events text COLLATE "C" NOT NULL
);
CREATE INDEX outbox_caused ON outbox_blocks (id) WHERE causes IS NOT NULL;

-- The log. One process at a time moves blocks here and assigns a range of positions to each, so all readers see
-- one order and never an event after a later one.
CREATE TABLE event_blocks (
    first_position bigint PRIMARY KEY,
    event_count integer NOT NULL,
    -- Of a merged block: when its latest events occurred.
    occurred_at bigint NOT NULL,
    types text COLLATE "C" NOT NULL,
    keys integer[] NOT NULL,
    causes integer[],
    -- As in outbox_blocks. A merged block has a line for each block that it was made of, which begins with the
    -- instant of that block.
    events text COLLATE "C" NOT NULL
);
-- The keys of blocks that become one.
CREATE AGGREGATE all_keys (integer[]) (SFUNC = array_cat, STYPE = integer[]);
-- Hashes do not compress, and are few enough to stay with their row.
ALTER TABLE outbox_blocks ALTER COLUMN keys SET STORAGE PLAIN, ALTER COLUMN causes SET STORAGE PLAIN;
ALTER TABLE event_blocks ALTER COLUMN keys SET STORAGE PLAIN, ALTER COLUMN causes SET STORAGE PLAIN;
-- A server that was built without LZ4 keeps its own compression.
DO $$
BEGIN
    ALTER TABLE outbox_blocks ALTER COLUMN events SET COMPRESSION lz4;
    ALTER TABLE event_blocks ALTER COLUMN events SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported OR syntax_error OR invalid_parameter_value THEN
    NULL;
END $$;

-- The blocks with events that a command has caused. They show what the command has done.
CREATE TABLE event_causes (
    cause integer NOT NULL,
    first_position bigint NOT NULL,
    PRIMARY KEY (cause, first_position)
);

-- The blocks of a key, one row for each bucket of keys in each segment of the log. Whole segments are added, so
-- a key costs a few bytes; the blocks of the last segment are scanned.
CREATE TABLE event_keys (
    bucket integer NOT NULL,
    segment bigint NOT NULL,
    keys integer[] NOT NULL,
    positions bigint[] NOT NULL,
    PRIMARY KEY (bucket, segment)
);

-- Events one by one, for people and reports; the service reads blocks.
CREATE VIEW outbox AS
SELECT b.id, (e.event ->> 0) COLLATE "C" AS sku, (e.event ->> 1)::bigint AS version,
       (e.event ->> 2)::integer AS ordinal, b.occurred_at + (e.event ->> 3)::bigint AS occurred_at,
       (e.event ->> 4) COLLATE "C" AS type, (e.event ->> 5) COLLATE "C" AS order_id,
       (e.event ->> 6) COLLATE "C" AS reference, (e.event ->> 7) COLLATE "C" AS traceparent,
       (e.event ->> 8) COLLATE "C" AS causation_id,
       (e.event ->> 9) COLLATE "C" AS payload
FROM outbox_blocks AS b CROSS JOIN LATERAL json_array_elements(b.events::json) AS e (event);

CREATE VIEW events AS
SELECT b.first_position + e.n - 1 AS position, (e.event ->> 0) COLLATE "C" AS sku, (e.event ->> 1)::bigint AS version,
       (e.event ->> 2)::integer AS ordinal, e.block_at + (e.event ->> 3)::bigint AS occurred_at,
       (e.event ->> 4) COLLATE "C" AS type, (e.event ->> 5) COLLATE "C" AS order_id,
       (e.event ->> 6) COLLATE "C" AS reference, (e.event ->> 7) COLLATE "C" AS traceparent,
       (e.event ->> 8) COLLATE "C" AS causation_id,
       (e.event ->> 9) COLLATE "C" AS payload
FROM event_blocks AS b CROSS JOIN LATERAL (
    SELECT a.event, coalesce(nullif(split_part(l.line, '[', 1), '')::bigint, b.occurred_at) AS block_at,
           row_number() OVER (ORDER BY l.n, a.n) AS n
    FROM unnest(string_to_array(b.events, E'\n')) WITH ORDINALITY AS l (line, n)
    CROSS JOIN LATERAL json_array_elements(substr(l.line, strpos(l.line, '['))::json) WITH ORDINALITY AS a (event, n)
) AS e;

-- Every retained event, with a position or without.
CREATE VIEW all_events AS
SELECT sku, version, ordinal, type, order_id, payload, occurred_at FROM events
UNION ALL
SELECT sku, version, ordinal, type, order_id, payload, occurred_at FROM outbox;

-- The ends of the log. In an empty log, the oldest position is the next one.
CREATE TABLE event_log (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    last_position bigint NOT NULL,
    oldest_position bigint NOT NULL,
    -- The blocks that begin up to here are in event_keys.
    indexed_position bigint NOT NULL DEFAULT 0,
    -- Follows the clock no faster than time passes. Null before it is first read.
    retention_time bigint,
    CHECK (oldest_position BETWEEN 1 AND last_position + 1)
);
INSERT INTO event_log (last_position, oldest_position) VALUES (0, 1);

-- All events up to the checkpoint are delivered or parked.
CREATE TABLE relay (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    checkpoint bigint NOT NULL CHECK (checkpoint >= 0)
);
INSERT INTO relay (checkpoint) VALUES (0);

CREATE TABLE parked_events (
    position bigint PRIMARY KEY,
    reason text COLLATE "C" NOT NULL,
    parked_at bigint NOT NULL,
    -- Whether it is to be sent again.
    retry boolean NOT NULL DEFAULT false
);
CREATE INDEX parked_events_to_retry ON parked_events (position) WHERE retry;

-- Rights that one process has at a time, with their expiry by the clock of the database.
CREATE TABLE leases (
    name text COLLATE "C" PRIMARY KEY,
    holder text COLLATE "C" NOT NULL,
    expires_at bigint NOT NULL
);

-- A row that a replica writes once a second, to detect that a write succeeds.
CREATE TABLE heartbeat (
    id boolean PRIMARY KEY CHECK (id),
    beats bigint NOT NULL CHECK (beats >= 0)
) WITH (fillfactor = 10);
INSERT INTO heartbeat (id, beats) VALUES (true, 0);
