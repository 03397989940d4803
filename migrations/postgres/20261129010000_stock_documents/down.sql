DROP TABLE stock_documents;
ALTER TABLE batches DROP COLUMN adjusted_quantity;
