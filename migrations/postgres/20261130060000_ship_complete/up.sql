-- kind: expand
-- Whether pick lists leave an order out until all of it is in stock. `orders` has the value as sent, and lines
-- have the current one. The program before this migration puts such lines on its lists.
ALTER TABLE orders ADD COLUMN ship_complete boolean NOT NULL DEFAULT false;
ALTER TABLE archived_orders ADD COLUMN ship_complete boolean DEFAULT false;
ALTER TABLE order_lines ADD COLUMN ship_complete boolean NOT NULL DEFAULT false;
ALTER TABLE archived_lines ADD COLUMN ship_complete boolean NOT NULL DEFAULT false;
