-- What the tables cannot tell any more is left out: lines that hold nothing, and batches that came
-- to nothing. Held lines become firm.
DROP TABLE orders;

DROP INDEX outbox_by_order;
CREATE INDEX allocations_by_order ON allocations (order_id, sku, reference);

DELETE FROM order_lines WHERE NOT EXISTS (
    SELECT 1 FROM allocations AS a WHERE a.sku = order_lines.sku AND a.order_id = order_lines.order_id
);
DROP INDEX order_lines_by_order_ended;
DROP INDEX order_lines_by_order_waiting;
DROP INDEX order_lines_by_order_held;
DROP INDEX order_lines_queue;
DROP INDEX order_lines_by_expiry;
DROP INDEX order_lines_expiring;
DROP INDEX order_lines_by_sku;
ALTER TABLE order_lines DROP COLUMN ended;
ALTER TABLE order_lines DROP COLUMN expires_at;
ALTER TABLE order_lines DROP COLUMN waiting;
ALTER TABLE order_lines DROP COLUMN allow_split;
ALTER TABLE order_lines DROP COLUMN backorders;
ALTER TABLE order_lines DROP COLUMN priority;
ALTER TABLE order_lines DROP COLUMN of_order;
ALTER TABLE order_lines DROP COLUMN placed_at;

ALTER TABLE products DROP COLUMN waiting_lines;
ALTER TABLE products DROP COLUMN held_lines;
ALTER TABLE products DROP COLUMN backordered;
ALTER TABLE products DROP COLUMN held;
ALTER TABLE products DROP COLUMN on_its_way;
ALTER TABLE products DROP COLUMN in_stock;
ALTER TABLE products DROP COLUMN last_at;

ALTER TABLE batch_references DROP COLUMN eta;
ALTER TABLE batch_references DROP COLUMN purchased_quantity;

DELETE FROM batch_references WHERE reference IN (SELECT reference FROM batches WHERE purchased_quantity = 0);
CREATE TABLE old_batches (
    sku TEXT NOT NULL REFERENCES products (sku),
    reference TEXT NOT NULL,
    purchased_quantity INTEGER NOT NULL CHECK (purchased_quantity BETWEEN 1 AND 2147483647),
    allocated_quantity INTEGER NOT NULL DEFAULT 0,
    eta TEXT,
    added_at INTEGER NOT NULL,
    is_open INTEGER NOT NULL GENERATED ALWAYS AS (allocated_quantity < purchased_quantity) STORED,
    PRIMARY KEY (sku, reference),
    CONSTRAINT batches_not_oversold CHECK (allocated_quantity BETWEEN 0 AND purchased_quantity)
) STRICT, WITHOUT ROWID;
INSERT INTO old_batches (sku, reference, purchased_quantity, allocated_quantity, eta, added_at)
SELECT sku, reference, purchased_quantity, allocated_quantity, eta, added_at FROM batches
WHERE purchased_quantity > 0;
DROP TABLE batches;
ALTER TABLE old_batches RENAME TO batches;
CREATE INDEX batches_open ON batches (sku, eta, added_at, reference) WHERE is_open;
CREATE INDEX batches_by_added_at ON batches (added_at, reference);
CREATE INDEX batches_by_sku_and_added_at ON batches (sku, added_at, reference);
