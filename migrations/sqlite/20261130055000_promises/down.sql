ALTER TABLE archived_lines DROP COLUMN stable;
ALTER TABLE archived_orders DROP COLUMN stable;
ALTER TABLE order_lines DROP COLUMN stable;
ALTER TABLE orders DROP COLUMN stable;
ALTER TABLE products DROP COLUMN stable;
