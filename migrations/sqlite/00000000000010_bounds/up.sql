-- What units of work with a bound need: word that a product is behind, and waiting lines by what they take.

-- Whether lines may wait for units that are free, as one unit of work served only some of them.
ALTER TABLE products ADD COLUMN unserved INTEGER NOT NULL DEFAULT 0 CHECK (unserved IN (0, 1));
CREATE INDEX products_unserved ON products (sku) WHERE unserved;

-- Lines that take parts of what they wait for, in the order in which they are served.
CREATE INDEX order_lines_parts ON order_lines (sku, priority DESC, placed_at, order_id)
WHERE waiting > 0 AND allow_split;
-- Lines that take only their whole rest, by that: those that wait for more than what is free are not
-- even looked at.
CREATE INDEX order_lines_whole ON order_lines (sku, waiting, priority DESC, placed_at, order_id)
WHERE waiting > 0 AND NOT allow_split;
