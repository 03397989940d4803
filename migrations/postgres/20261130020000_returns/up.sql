-- kind: expand
-- Shipped units of the line that came back. Programs from before keep the column of a current line, but not of one that
-- they archive or restore: the first return shuts them out.
ALTER TABLE order_lines ADD COLUMN returned integer NOT NULL DEFAULT 0
    CONSTRAINT order_lines_returned CHECK (returned BETWEEN 0 AND shipped);
ALTER TABLE archived_lines ADD COLUMN returned integer NOT NULL DEFAULT 0
    CONSTRAINT archived_lines_returned CHECK (returned BETWEEN 0 AND shipped);
-- The return and the order that the units of a batch came back from. Null for a purchase.
ALTER TABLE batches ADD COLUMN return_id text COLLATE "C";
ALTER TABLE batches ADD COLUMN return_order_id text COLLATE "C";
