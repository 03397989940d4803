-- What the tables cannot tell any more is left out: lines that hold nothing, and batches that came
-- to nothing. Held lines become firm.
DROP TABLE orders;

DROP INDEX outbox_by_order;
CREATE INDEX allocations_by_order ON allocations (order_id, sku, reference);

DELETE FROM order_lines AS l WHERE NOT EXISTS (
    SELECT FROM allocations AS a WHERE (a.sku, a.order_id) = (l.sku, l.order_id)
);
DROP INDEX order_lines_by_order_ended;
DROP INDEX order_lines_by_order_waiting;
DROP INDEX order_lines_by_order_held;
DROP INDEX order_lines_queue;
DROP INDEX order_lines_by_expiry;
DROP INDEX order_lines_expiring;
DROP INDEX order_lines_by_order;
ALTER TABLE order_lines
    DROP CONSTRAINT order_lines_ended,
    DROP CONSTRAINT order_lines_waiting,
    DROP COLUMN ended,
    DROP COLUMN expires_at,
    DROP COLUMN waiting,
    DROP COLUMN allow_split,
    DROP COLUMN backorders,
    DROP COLUMN priority,
    DROP COLUMN of_order,
    DROP COLUMN placed_at;

ALTER TABLE products
    DROP CONSTRAINT products_totals,
    DROP COLUMN waiting_lines,
    DROP COLUMN held_lines,
    DROP COLUMN backordered,
    DROP COLUMN held,
    DROP COLUMN on_its_way,
    DROP COLUMN in_stock,
    DROP COLUMN last_at;

ALTER TABLE batch_references DROP COLUMN eta, DROP COLUMN purchased_quantity;

DELETE FROM batch_references WHERE reference IN (SELECT reference FROM batches WHERE purchased_quantity = 0);
DELETE FROM batches WHERE purchased_quantity = 0;
ALTER TABLE batches DROP COLUMN revision;
ALTER TABLE batches DROP CONSTRAINT batches_purchased_quantity_check;
ALTER TABLE batches ADD CONSTRAINT batches_purchased_quantity_check CHECK (purchased_quantity >= 1);
