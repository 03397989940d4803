-- Orders, holds, backorders and batches that are corrected.

-- A purchase may come to nothing, and corrections are counted. SQLite changes a CHECK only by
-- making the table anew.
CREATE TABLE new_batches (
    sku TEXT NOT NULL REFERENCES products (sku),
    reference TEXT NOT NULL,
    purchased_quantity INTEGER NOT NULL CHECK (purchased_quantity BETWEEN 0 AND 2147483647),
    allocated_quantity INTEGER NOT NULL DEFAULT 0,
    eta TEXT,
    added_at INTEGER NOT NULL,
    is_open INTEGER NOT NULL GENERATED ALWAYS AS (allocated_quantity < purchased_quantity) STORED,
    revision INTEGER NOT NULL DEFAULT 1 CHECK (revision BETWEEN 1 AND 2147483647),
    PRIMARY KEY (sku, reference),
    CONSTRAINT batches_not_oversold CHECK (allocated_quantity BETWEEN 0 AND purchased_quantity)
) STRICT, WITHOUT ROWID;
INSERT INTO new_batches (sku, reference, purchased_quantity, allocated_quantity, eta, added_at)
SELECT sku, reference, purchased_quantity, allocated_quantity, eta, added_at FROM batches;
DROP TABLE batches;
ALTER TABLE new_batches RENAME TO batches;
CREATE INDEX batches_open ON batches (sku, eta, added_at, reference) WHERE is_open;
CREATE INDEX batches_by_added_at ON batches (added_at, reference);
CREATE INDEX batches_by_sku_and_added_at ON batches (sku, added_at, reference);

-- What a batch was added with, to tell a repeat from another batch of that name. The quantity has no
-- default: a program from before this migration cannot add batches that nobody could repeat. SQLite
-- adds such a column only by making the table anew.
CREATE TABLE new_batch_references (
    reference TEXT NOT NULL PRIMARY KEY,
    sku TEXT NOT NULL,
    purchased_quantity INTEGER NOT NULL CHECK (purchased_quantity BETWEEN 1 AND 2147483647),
    eta TEXT
) STRICT, WITHOUT ROWID;
INSERT INTO new_batch_references (reference, sku, purchased_quantity, eta)
SELECT r.reference, r.sku, b.purchased_quantity, b.eta
FROM batch_references AS r JOIN batches AS b ON b.sku = r.sku AND b.reference = r.reference;
DROP TABLE batch_references;
ALTER TABLE new_batch_references RENAME TO batch_references;

-- When the product was decided on last: no later decision is made as of an earlier instant.
ALTER TABLE products ADD COLUMN last_at INTEGER NOT NULL DEFAULT 0;

-- What a product's rows add up to, but for what is allocated: that is what is purchased less what
-- the open batches have free, so that an allocation has nothing to count here.
ALTER TABLE products ADD COLUMN in_stock INTEGER NOT NULL DEFAULT 0 CHECK (in_stock >= 0);
ALTER TABLE products ADD COLUMN on_its_way INTEGER NOT NULL DEFAULT 0 CHECK (on_its_way >= 0);
ALTER TABLE products ADD COLUMN held INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0);
ALTER TABLE products ADD COLUMN backordered INTEGER NOT NULL DEFAULT 0 CHECK (backordered >= 0);
-- Where there are none, no hold has to be looked for.
ALTER TABLE products ADD COLUMN held_lines INTEGER NOT NULL DEFAULT 0 CHECK (held_lines >= 0);
-- Where there are none, no line has to be served.
ALTER TABLE products ADD COLUMN waiting_lines INTEGER NOT NULL DEFAULT 0 CHECK (waiting_lines >= 0);

UPDATE products SET in_stock = t.in_stock, on_its_way = t.on_its_way
FROM (
    SELECT sku,
           coalesce(sum(purchased_quantity) FILTER (WHERE eta IS NULL), 0) AS in_stock,
           coalesce(sum(purchased_quantity) FILTER (WHERE eta IS NOT NULL), 0) AS on_its_way
    FROM batches GROUP BY sku
) AS t
WHERE t.sku = products.sku;

-- A line that was sent alone has all the defaults but for the instant it was placed at. Lines from
-- before this migration are the oldest: 0.
ALTER TABLE order_lines ADD COLUMN placed_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE order_lines ADD COLUMN of_order INTEGER NOT NULL DEFAULT 0 CHECK (of_order IN (0, 1));
ALTER TABLE order_lines ADD COLUMN priority INTEGER NOT NULL DEFAULT 0
    CHECK (priority BETWEEN -2147483648 AND 2147483647);
-- Whether the line has asked to wait for what it lacks.
ALTER TABLE order_lines ADD COLUMN backorders INTEGER NOT NULL DEFAULT 0 CHECK (backorders IN (0, 1));
ALTER TABLE order_lines ADD COLUMN allow_split INTEGER NOT NULL DEFAULT 1 CHECK (allow_split IN (0, 1));
-- For how many units it waits.
ALTER TABLE order_lines ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0 CHECK (waiting BETWEEN 0 AND quantity);
-- When its hold expires; a line without it is firm, unless it has ended.
ALTER TABLE order_lines ADD COLUMN expires_at INTEGER;
ALTER TABLE order_lines ADD COLUMN ended TEXT
    CHECK (ended IS NULL OR (ended IN ('expired', 'cancelled') AND expires_at IS NULL AND waiting = 0));

-- The lines of an order are found by their primary key, and what each of them holds by that of the
-- allocations, so that an allocation needs no entry by its order.
DROP INDEX allocations_by_order;

-- None of these has entries of lines that were sent alone and hold their units.
--
-- The orders of a SKU, together with those of its allocations.
CREATE INDEX order_lines_by_sku ON order_lines (sku, order_id) WHERE of_order OR waiting > 0 OR ended IS NOT NULL;
-- The expired lines of a product, and the products that have any.
CREATE INDEX order_lines_expiring ON order_lines (sku, expires_at, order_id) WHERE expires_at IS NOT NULL;
CREATE INDEX order_lines_by_expiry ON order_lines (expires_at, sku) WHERE expires_at IS NOT NULL;
-- In the order in which waiting lines are served.
CREATE INDEX order_lines_queue ON order_lines (sku, priority DESC, placed_at, order_id) WHERE waiting > 0;
-- Orders that may have a status, without those of the past.
CREATE INDEX order_lines_by_order_held ON order_lines (order_id, sku) WHERE expires_at IS NOT NULL;
CREATE INDEX order_lines_by_order_waiting ON order_lines (order_id, sku) WHERE waiting > 0;
CREATE INDEX order_lines_by_order_ended ON order_lines (order_id, sku) WHERE ended IS NOT NULL;

-- The history of an order, which has few events: their order is left to whoever reads them.
CREATE INDEX outbox_by_order ON outbox (order_id) WHERE order_id IS NOT NULL;

-- What was sent as one, to tell a repeat from another order of that name.
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
