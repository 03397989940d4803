DROP TRIGGER stock_counts_closed;
DROP TABLE counted_batches;
