-- kind: expand
-- Orders that may be shipped, cancelled or partially allocated. A firm line that has all its units in one batch has
-- no entry in these indexes, so a new allocation writes none.
CREATE INDEX order_lines_by_order_shipped ON order_lines (order_id, sku) WHERE shipped = quantity;
-- Lines without units that have not expired, and split lines, whose units are in `line_parts`.
CREATE INDEX order_lines_by_order_idle ON order_lines (order_id, sku)
WHERE reference IS NULL AND waiting = 0 AND picked = 0 AND shipped = 0 AND (ended IS NULL OR ended = 'cancelled');
-- Lines that lack units, and split lines.
CREATE INDEX order_lines_by_order_incomplete ON order_lines (order_id, sku)
WHERE allocated + picked + shipped < quantity;
