-- Orders, holds, backorders and batches that are corrected.

-- A purchase may come to nothing.
ALTER TABLE batches DROP CONSTRAINT batches_purchased_quantity_check;
ALTER TABLE batches ADD CONSTRAINT batches_purchased_quantity_check CHECK (purchased_quantity >= 0);
-- Counts the corrections; allocations do not count.
ALTER TABLE batches ADD COLUMN revision integer NOT NULL DEFAULT 1 CHECK (revision >= 1);

-- What a batch was added with, to tell a repeat from another batch of that name. The quantity has no
-- default: a program from before this migration cannot add batches that nobody could repeat.
ALTER TABLE batch_references
    ADD COLUMN purchased_quantity integer CHECK (purchased_quantity >= 1),
    ADD COLUMN eta date;
UPDATE batch_references AS r SET purchased_quantity = b.purchased_quantity, eta = b.eta
FROM batches AS b
WHERE (b.sku, b.reference) = (r.sku, r.reference);
ALTER TABLE batch_references ALTER COLUMN purchased_quantity SET NOT NULL;

-- When the product was decided on last: no later decision is made as of an earlier instant.
ALTER TABLE products ADD COLUMN last_at bigint NOT NULL DEFAULT 0;

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

-- The lines of an order. What each of them holds is found by the primary key of the allocations, so
-- that an allocation needs no entry by its order.
CREATE INDEX order_lines_by_order ON order_lines (order_id, sku);
DROP INDEX allocations_by_order;

-- None of these has entries of firm lines that hold their units.
--
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
    order_id text COLLATE "C" PRIMARY KEY,
    -- SKUs and quantities as JSON, [["SKU", 1], ...], sorted by SKU.
    lines text COLLATE "C" NOT NULL,
    priority integer NOT NULL,
    backorders boolean NOT NULL,
    allow_split boolean NOT NULL,
    hold_seconds integer CHECK (hold_seconds >= 1),
    placed_at bigint NOT NULL
);
