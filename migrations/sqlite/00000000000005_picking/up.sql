-- Pick lists, and what became of units that were picked.

-- The units of a batch are free, allocated, picked, shipped or missing. SQLite changes a CHECK only
-- by making the table anew.
CREATE TABLE new_batches (
    sku TEXT NOT NULL REFERENCES products (sku),
    reference TEXT NOT NULL,
    purchased_quantity INTEGER NOT NULL CHECK (purchased_quantity BETWEEN 0 AND 2147483647),
    allocated_quantity INTEGER NOT NULL DEFAULT 0,
    picked_quantity INTEGER NOT NULL DEFAULT 0,
    shipped_quantity INTEGER NOT NULL DEFAULT 0,
    missing_quantity INTEGER NOT NULL DEFAULT 0,
    eta TEXT,
    added_at INTEGER NOT NULL,
    -- It changes only when a batch fills up or frees, as before.
    is_open INTEGER NOT NULL GENERATED ALWAYS AS (
        allocated_quantity + picked_quantity + shipped_quantity + missing_quantity < purchased_quantity
    ) STORED,
    revision INTEGER NOT NULL DEFAULT 1 CHECK (revision BETWEEN 1 AND 2147483647),
    PRIMARY KEY (sku, reference),
    CONSTRAINT batches_not_oversold CHECK (
        allocated_quantity >= 0 AND picked_quantity >= 0 AND shipped_quantity >= 0 AND missing_quantity >= 0
        AND allocated_quantity + picked_quantity + shipped_quantity + missing_quantity <= purchased_quantity
    )
) STRICT, WITHOUT ROWID;
INSERT INTO new_batches (sku, reference, purchased_quantity, allocated_quantity, eta, added_at, revision)
SELECT sku, reference, purchased_quantity, allocated_quantity, eta, added_at, revision FROM batches;
DROP TABLE batches;
ALTER TABLE new_batches RENAME TO batches;
CREATE INDEX batches_open ON batches (sku, eta, added_at, reference) WHERE is_open;
CREATE INDEX batches_by_added_at ON batches (added_at, reference);
CREATE INDEX batches_by_sku_and_added_at ON batches (sku, added_at, reference);

-- Units in stock and on their way are now those that are there or will be: neither shipped nor
-- missing. So far all are.
ALTER TABLE products ADD COLUMN picked INTEGER NOT NULL DEFAULT 0 CHECK (picked >= 0);

-- How many units of a line are on pick lists, which it still holds, and how many were picked and
-- shipped, which it holds no more.
ALTER TABLE order_lines ADD COLUMN listed INTEGER NOT NULL DEFAULT 0 CHECK (listed >= 0);
ALTER TABLE order_lines ADD COLUMN picked INTEGER NOT NULL DEFAULT 0 CHECK (picked >= 0);
ALTER TABLE order_lines ADD COLUMN shipped INTEGER NOT NULL DEFAULT 0
    CHECK (shipped >= 0 AND listed + picked + shipped + waiting <= quantity);
-- The orders of a SKU, together with those of its allocations. Without lines that were sent alone
-- and hold all their units.
DROP INDEX order_lines_by_sku;
CREATE INDEX order_lines_by_sku ON order_lines (sku, order_id)
WHERE of_order OR waiting > 0 OR ended IS NOT NULL OR picked > 0 OR shipped > 0;
-- Orders that may be picked and not shipped, without those of the past.
CREATE INDEX order_lines_by_order_picked ON order_lines (order_id, sku) WHERE picked > 0;

CREATE TABLE pick_lists (
    list_id TEXT NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL,
    -- What it was to be made of, to tell a repeat from another list: batches, SKUs, orders (null for
    -- whichever) and the number of lines, as JSON.
    asked TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- They may outlive their order line and their batch. What can be put on a list is found among the
-- allocations: a picked one is not there any more.
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
