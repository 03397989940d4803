-- kind: expand
-- Whether the line was closed: it has only what was picked of it, and waits for nothing. A column of its own, and no
-- constraint: a program from before takes the line for a firm one, which it may fill again. It is firm then.
ALTER TABLE order_lines ADD COLUMN closed boolean NOT NULL DEFAULT false;
-- Orders of which a part of a line is shipped. A line that is not shipped has no entry, so a new allocation writes none.
CREATE INDEX order_lines_by_order_partly_shipped ON order_lines (order_id, sku)
WHERE shipped > 0 AND shipped < quantity;
