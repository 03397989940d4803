-- What the tables cannot tell any more is left out: batches have so many units less as were picked,
-- shipped or missing, and lines that were sent alone and hold nothing are forgotten. Events of
-- picking cannot be read by a program that does not know them.
DELETE FROM parked_events WHERE position IN (
    SELECT position FROM events
    WHERE type IN ('pick_listed', 'pick_line_changed', 'pick_line_withdrawn', 'picked', 'units_missing', 'shipped')
);
DELETE FROM events
WHERE type IN ('pick_listed', 'pick_line_changed', 'pick_line_withdrawn', 'picked', 'units_missing', 'shipped');
DELETE FROM outbox
WHERE type IN ('pick_listed', 'pick_line_changed', 'pick_line_withdrawn', 'picked', 'units_missing', 'shipped');

DROP TABLE pick_list_lines;
DROP TABLE pick_lists;

DROP INDEX order_lines_by_order_picked;
DROP INDEX order_lines_by_sku;
DELETE FROM order_lines WHERE picked + shipped > 0 AND NOT of_order AND waiting = 0 AND NOT EXISTS (
    SELECT 1 FROM allocations AS a WHERE a.sku = order_lines.sku AND a.order_id = order_lines.order_id
);
ALTER TABLE order_lines DROP COLUMN shipped;
ALTER TABLE order_lines DROP COLUMN picked;
ALTER TABLE order_lines DROP COLUMN listed;
CREATE INDEX order_lines_by_sku ON order_lines (sku, order_id) WHERE of_order OR waiting > 0 OR ended IS NOT NULL;

UPDATE products SET in_stock = products.in_stock - t.in_stock, on_its_way = products.on_its_way - t.on_its_way
FROM (
    SELECT sku,
           coalesce(sum(picked_quantity) FILTER (WHERE eta IS NULL), 0) AS in_stock,
           coalesce(sum(picked_quantity) FILTER (WHERE eta IS NOT NULL), 0) AS on_its_way
    FROM batches GROUP BY sku
) AS t
WHERE t.sku = products.sku;
ALTER TABLE products DROP COLUMN picked;

CREATE TABLE old_batches (
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
INSERT INTO old_batches (sku, reference, purchased_quantity, allocated_quantity, eta, added_at, revision)
SELECT sku, reference, purchased_quantity - picked_quantity - shipped_quantity - missing_quantity,
       allocated_quantity, eta, added_at, revision
FROM batches;
DROP TABLE batches;
ALTER TABLE old_batches RENAME TO batches;
CREATE INDEX batches_open ON batches (sku, eta, added_at, reference) WHERE is_open;
CREATE INDEX batches_by_added_at ON batches (added_at, reference);
CREATE INDEX batches_by_sku_and_added_at ON batches (sku, added_at, reference);
