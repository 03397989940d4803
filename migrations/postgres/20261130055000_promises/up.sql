-- kind: expand
-- Whether lines keep the batch that they were promised when units of an earlier one come free: all lines of a product,
-- or those of an order. The program before this migration moves no lines.
ALTER TABLE products ADD COLUMN stable boolean NOT NULL DEFAULT false;
ALTER TABLE orders ADD COLUMN stable boolean NOT NULL DEFAULT false;
ALTER TABLE order_lines ADD COLUMN stable boolean NOT NULL DEFAULT false;
-- Null for an order that has only standalone lines, as the other columns are.
ALTER TABLE archived_orders ADD COLUMN stable boolean DEFAULT false;
ALTER TABLE archived_lines ADD COLUMN stable boolean NOT NULL DEFAULT false;
