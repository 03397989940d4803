-- Pick lists, and what became of units that were picked.

-- The units of a batch are free, allocated, picked, shipped or missing. A generated column cannot be
-- altered.
DROP INDEX batches_open;
ALTER TABLE batches
    DROP CONSTRAINT batches_not_oversold,
    DROP COLUMN is_open,
    ADD COLUMN picked_quantity integer NOT NULL DEFAULT 0,
    ADD COLUMN shipped_quantity integer NOT NULL DEFAULT 0,
    ADD COLUMN missing_quantity integer NOT NULL DEFAULT 0;
ALTER TABLE batches
    -- It changes only when a batch fills up or frees, as before.
    ADD COLUMN is_open boolean NOT NULL GENERATED ALWAYS AS (
        allocated_quantity + picked_quantity + shipped_quantity + missing_quantity < purchased_quantity
    ) STORED,
    ADD CONSTRAINT batches_not_oversold CHECK (
        allocated_quantity >= 0 AND picked_quantity >= 0 AND shipped_quantity >= 0 AND missing_quantity >= 0
        AND allocated_quantity + picked_quantity + shipped_quantity + missing_quantity <= purchased_quantity
    );
CREATE INDEX batches_open ON batches (sku, eta NULLS FIRST, added_at, reference) WHERE is_open;

-- Units in stock and on their way are now those that are there or will be: neither shipped nor
-- missing. So far all are.
ALTER TABLE products
    ADD COLUMN picked bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT products_picked CHECK (picked >= 0);

-- How many units of a line are on pick lists, which it still holds, and how many were picked and
-- shipped, which it holds no more.
ALTER TABLE order_lines
    ADD COLUMN listed integer NOT NULL DEFAULT 0,
    ADD COLUMN picked integer NOT NULL DEFAULT 0,
    ADD COLUMN shipped integer NOT NULL DEFAULT 0,
    ADD CONSTRAINT order_lines_fulfilment CHECK (
        listed >= 0 AND picked >= 0 AND shipped >= 0 AND listed + picked + shipped + waiting <= quantity
    );
-- Orders that may be picked and not shipped, without those of the past.
CREATE INDEX order_lines_by_order_picked ON order_lines (order_id, sku) WHERE picked > 0;

CREATE TABLE pick_lists (
    list_id text COLLATE "C" PRIMARY KEY,
    created_at bigint NOT NULL,
    -- What it was to be made of, to tell a repeat from another list: batches, SKUs, orders (null for
    -- whichever) and the number of lines, as JSON.
    asked text COLLATE "C" NOT NULL
);

-- They may outlive their order line and their batch. What can be put on a list is found among the
-- allocations: a picked one is not there any more.
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
