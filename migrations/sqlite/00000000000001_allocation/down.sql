DROP TABLE outbox;
DROP TABLE allocations;
DROP TABLE order_lines;
DROP TABLE batch_references;
DROP TABLE batches;
DROP TABLE products;
