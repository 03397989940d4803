-- One allocation in a transaction of its own, written by hand for pgbench on the
-- tables of the service. Expects :skus, the number of SKUs to choose from.
\set n random(1, :skus)
\set order_number random(1, 9000000000000000)
BEGIN;
UPDATE products SET version = version + 1 WHERE sku = 'EVEN-' || :n::bigint RETURNING version \gset
SELECT reference FROM batches WHERE sku = 'EVEN-' || :n::bigint AND is_open ORDER BY eta NULLS FIRST, added_at, reference LIMIT 1 \gset
INSERT INTO order_lines (sku, order_id, quantity, reference, allocated) VALUES ('EVEN-' || :n::bigint, 'O-' || :order_number::bigint, 1, :reference, 1);
UPDATE batches SET allocated_quantity = allocated_quantity + 1 WHERE sku = 'EVEN-' || :n::bigint AND reference = :reference;
INSERT INTO outbox_blocks (event_count, occurred_at, types, keys, events) VALUES (1, 1800000000000000, 'allocated', ARRAY[hashtext('O-' || :order_number::bigint)], '[["EVEN-' || :n::bigint || '",' || :version::bigint || ',0,0,"allocated","O-' || :order_number::bigint || '",null,null,null,{"type":"allocated","order_id":"O-' || :order_number::bigint || '","sku":"EVEN-' || :n::bigint || '","reference":"' || :reference || '","quantity":1,"line_quantity":1}]]');
COMMIT;
