-- kind: expand
-- Whether pick lists leave an order out until all of it is in stock. `orders` has the value as sent, and lines
-- have the current one. The program before this migration puts such lines on its lists.
ALTER TABLE orders ADD COLUMN ship_complete INTEGER NOT NULL DEFAULT 0 CHECK (ship_complete IN (0, 1));
ALTER TABLE archived_orders ADD COLUMN ship_complete INTEGER DEFAULT 0;
ALTER TABLE order_lines ADD COLUMN ship_complete INTEGER NOT NULL DEFAULT 0 CHECK (ship_complete IN (0, 1));
ALTER TABLE archived_lines ADD COLUMN ship_complete INTEGER NOT NULL DEFAULT 0;
