DROP INDEX order_lines_by_order;
ALTER TABLE order_lines DROP COLUMN order_slot;
CREATE INDEX order_lines_by_order ON order_lines (order_id, sku);
