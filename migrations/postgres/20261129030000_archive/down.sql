INSERT INTO orders (order_id, lines, priority, backorders, allow_split, hold_seconds, placed_at)
SELECT order_id, lines, priority, backorders, allow_split, hold_seconds, placed_at
FROM archived_orders WHERE lines IS NOT NULL;
INSERT INTO order_lines (sku, order_id, quantity, placed_at, of_order, precedence, backorders, allow_split, ended, closed,
                         shipped, order_slot)
SELECT sku, order_id, quantity, placed_at, of_order, precedence, backorders, allow_split, ended, closed, shipped,
       CASE WHEN row_number() OVER (PARTITION BY order_id ORDER BY sku) = 1 THEN '' ELSE sku END
FROM archived_lines;
INSERT INTO pick_list_lines (list_id, line, sku, order_id, reference, quantity, picked, status)
SELECT list_id, line, sku, order_id, reference, quantity, picked, status FROM archived_pick_lines;
DROP TABLE archived_pick_lines;
DROP TABLE archived_lines;
DROP TABLE archived_orders;
DROP INDEX order_lines_undated;
DROP INDEX order_lines_by_completion;
ALTER TABLE order_lines DROP COLUMN completed_at;
UPDATE schema_generation SET generation = 2 WHERE generation = 3;
