ALTER TABLE archived_lines DROP COLUMN ship_complete;
ALTER TABLE order_lines DROP COLUMN ship_complete;
ALTER TABLE archived_orders DROP COLUMN ship_complete;
ALTER TABLE orders DROP COLUMN ship_complete;
