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
DELETE FROM order_lines AS l WHERE l.picked + l.shipped > 0 AND NOT l.of_order AND l.waiting = 0 AND NOT EXISTS (
    SELECT FROM allocations AS a WHERE (a.sku, a.order_id) = (l.sku, l.order_id)
);
ALTER TABLE order_lines
    DROP CONSTRAINT order_lines_fulfilment,
    DROP COLUMN shipped,
    DROP COLUMN picked,
    DROP COLUMN listed;

UPDATE products AS p SET in_stock = p.in_stock - t.in_stock, on_its_way = p.on_its_way - t.on_its_way
FROM (
    SELECT sku,
           coalesce(sum(picked_quantity) FILTER (WHERE eta IS NULL), 0) AS in_stock,
           coalesce(sum(picked_quantity) FILTER (WHERE eta IS NOT NULL), 0) AS on_its_way
    FROM batches GROUP BY sku
) AS t
WHERE t.sku = p.sku;
ALTER TABLE products DROP CONSTRAINT products_picked, DROP COLUMN picked;

DROP INDEX batches_open;
ALTER TABLE batches DROP CONSTRAINT batches_not_oversold, DROP COLUMN is_open;
UPDATE batches SET purchased_quantity = purchased_quantity - picked_quantity - shipped_quantity - missing_quantity
WHERE picked_quantity + shipped_quantity + missing_quantity > 0;
ALTER TABLE batches
    DROP COLUMN missing_quantity,
    DROP COLUMN shipped_quantity,
    DROP COLUMN picked_quantity,
    ADD COLUMN is_open boolean NOT NULL GENERATED ALWAYS AS (allocated_quantity < purchased_quantity) STORED,
    ADD CONSTRAINT batches_not_oversold CHECK (allocated_quantity BETWEEN 0 AND purchased_quantity);
CREATE INDEX batches_open ON batches (sku, eta NULLS FIRST, added_at, reference) WHERE is_open;
