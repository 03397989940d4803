-- Lines that wait for units which are free are served by the next decision that frees any.
DROP INDEX order_lines_whole;
DROP INDEX order_lines_parts;
DROP INDEX products_unserved;
ALTER TABLE products DROP COLUMN unserved;
