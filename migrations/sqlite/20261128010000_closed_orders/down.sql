DROP INDEX order_lines_by_order_partly_shipped;
ALTER TABLE order_lines DROP COLUMN closed;
