-- kind: expand
-- Whether lines keep the batch that they were promised when units of an earlier one come free: all lines of a product,
-- or those of an order. The program before this migration moves no lines.
ALTER TABLE products ADD COLUMN stable INTEGER NOT NULL DEFAULT 0 CHECK (stable IN (0, 1));
ALTER TABLE orders ADD COLUMN stable INTEGER NOT NULL DEFAULT 0 CHECK (stable IN (0, 1));
ALTER TABLE order_lines ADD COLUMN stable INTEGER NOT NULL DEFAULT 0 CHECK (stable IN (0, 1));
-- Null for an order that has only standalone lines, as the other columns are.
ALTER TABLE archived_orders ADD COLUMN stable INTEGER DEFAULT 0 CHECK (stable IN (0, 1));
ALTER TABLE archived_lines ADD COLUMN stable INTEGER NOT NULL DEFAULT 0 CHECK (stable IN (0, 1));
