DROP TRIGGER stock_counts_closed ON stock_counts;
DROP FUNCTION release_counted_batches;
DROP TABLE counted_batches;
