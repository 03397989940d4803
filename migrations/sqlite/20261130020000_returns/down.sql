ALTER TABLE batches DROP COLUMN return_order_id;
ALTER TABLE batches DROP COLUMN return_id;
ALTER TABLE archived_lines DROP COLUMN returned;
ALTER TABLE order_lines DROP COLUMN returned;
DELETE FROM stock_documents WHERE kind = 'return';
UPDATE schema_generation SET generation = 3 WHERE generation = 4;
