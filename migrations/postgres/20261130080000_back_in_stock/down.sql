ALTER TABLE products DROP COLUMN sold_out;
