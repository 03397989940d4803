-- Orders, holds, backorders and batches that are corrected.

-- A purchase may come to nothing.
ALTER TABLE batches DROP CONSTRAINT batches_purchased_quantity_check;
ALTER TABLE batches ADD CONSTRAINT batches_purchased_quantity_check CHECK (purchased_quantity >= 0);
-- Counts the corrections; allocations do not count.
ALTER TABLE batches ADD COLUMN revision integer NOT NULL DEFAULT 1 CHECK (revision >= 1);

-- What a product's rows add up to, but for what is allocated: that is what is purchased less what
-- the open batches have free, so that an allocation has nothing to count here.
ALTER TABLE products
    ADD COLUMN in_stock bigint NOT NULL DEFAULT 0,
    ADD COLUMN on_its_way bigint NOT NULL DEFAULT 0,
    ADD COLUMN held bigint NOT NULL DEFAULT 0,
    ADD COLUMN backordered bigint NOT NULL DEFAULT 0,
    -- Where there are none, no hold has to be looked for.
    ADD COLUMN held_lines bigint NOT NULL DEFAULT 0,
    -- Where there are none, no line has to be served.
    ADD COLUMN waiting_lines bigint NOT NULL DEFAULT 0;

UPDATE products AS p SET in_stock = t.in_stock, on_its_way = t.on_its_way
FROM (
    SELECT sku,
           coalesce(sum(purchased_quantity) FILTER (WHERE eta IS NULL), 0) AS in_stock,
           coalesce(sum(purchased_quantity) FILTER (WHERE eta IS NOT NULL), 0) AS on_its_way
    FROM batches GROUP BY sku
) AS t
WHERE t.sku = p.sku;

ALTER TABLE products ADD CONSTRAINT products_totals CHECK (
    in_stock >= 0 AND on_its_way >= 0 AND held >= 0 AND backordered >= 0
    AND held_lines >= 0 AND waiting_lines >= 0
);

-- A line that was sent alone has all the defaults but for the instant it was placed at. Lines from
-- before this migration are the oldest: 0.
ALTER TABLE order_lines
    ADD COLUMN placed_at bigint NOT NULL DEFAULT 0,
    ADD COLUMN of_order boolean NOT NULL DEFAULT false,
    ADD COLUMN priority integer NOT NULL DEFAULT 0,
    -- Whether the line has asked to wait for what it lacks.
    ADD COLUMN backorders boolean NOT NULL DEFAULT false,
    ADD COLUMN allow_split boolean NOT NULL DEFAULT true,
    -- For how many units it waits.
    ADD COLUMN waiting integer NOT NULL DEFAULT 0,
    -- When its hold expires; a line without it is firm, unless it has ended.
    ADD COLUMN expires_at bigint,
    ADD COLUMN ended text COLLATE "C",
    ADD CONSTRAINT order_lines_waiting CHECK (waiting BETWEEN 0 AND quantity),
    ADD CONSTRAINT order_lines_ended CHECK (
        ended IS NULL OR (ended IN ('expired', 'cancelled') AND expires_at IS NULL AND waiting = 0)
    );

-- None of these has entries of lines that were sent alone and hold their units; the order of those is
-- told by their allocations.
CREATE INDEX order_lines_by_order ON order_lines (order_id, sku)
    WHERE of_order OR waiting > 0 OR ended IS NOT NULL;
CREATE INDEX order_lines_expiring ON order_lines (sku, expires_at) WHERE expires_at IS NOT NULL;
-- In the order in which waiting lines are served.
CREATE INDEX order_lines_queue ON order_lines (sku, priority DESC, placed_at, order_id) WHERE waiting > 0;

-- What was sent as one, to tell a repeat from another order of that name.
CREATE TABLE orders (
    order_id text COLLATE "C" PRIMARY KEY,
    -- SKUs and quantities as JSON, [["SKU", 1], ...], sorted by SKU.
    lines text COLLATE "C" NOT NULL,
    priority integer NOT NULL,
    backorders boolean NOT NULL,
    allow_split boolean NOT NULL,
    hold_seconds integer CHECK (hold_seconds >= 1),
    placed_at bigint NOT NULL,
    cancelled_at bigint
);
