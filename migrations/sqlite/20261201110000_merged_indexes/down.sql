DROP INDEX order_lines_complete;
CREATE INDEX order_lines_undated ON order_lines (sku, order_id)
WHERE completed_at IS NULL AND reference IS NULL AND waiting = 0 AND listed = 0 AND picked = 0 AND expires_at IS NULL
  AND (shipped = quantity OR ended IS NOT NULL OR closed);
CREATE INDEX order_lines_by_completion ON order_lines (completed_at, order_id) WHERE completed_at IS NOT NULL;
DROP INDEX order_lines_by_order_taken;
CREATE INDEX order_lines_by_order_partly_shipped ON order_lines (order_id, sku)
WHERE shipped > 0 AND shipped < quantity;
CREATE INDEX order_lines_by_order_picked ON order_lines (order_id, sku) WHERE picked > 0;
