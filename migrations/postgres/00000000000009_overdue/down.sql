DROP INDEX batches_due_by_sku;
DROP INDEX batches_due;
