-- kind: expand
-- Whether pick lists leave an order out until all of it is in stock. `orders` has it as sent, and lines as it is now. A
-- program from before puts such lines on its lists.
ALTER TABLE orders ADD COLUMN ship_complete boolean NOT NULL DEFAULT false;
ALTER TABLE archived_orders ADD COLUMN ship_complete boolean DEFAULT false;
ALTER TABLE order_lines ADD COLUMN ship_complete boolean NOT NULL DEFAULT false;
ALTER TABLE archived_lines ADD COLUMN ship_complete boolean NOT NULL DEFAULT false;
