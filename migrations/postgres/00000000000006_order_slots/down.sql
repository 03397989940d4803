DROP INDEX order_lines_by_order;
ALTER TABLE order_lines DROP COLUMN order_slot;
CREATE INDEX order_lines_by_order ON order_lines (order_id, sku);

-- Of two indexes that seem to cost the same, the planner takes the newer one: that has to be the one of part
-- of the lines.
DROP INDEX order_lines_by_order_held;
DROP INDEX order_lines_by_order_waiting;
DROP INDEX order_lines_by_order_ended;
DROP INDEX order_lines_by_order_picked;
CREATE INDEX order_lines_by_order_held ON order_lines (order_id, sku) WHERE expires_at IS NOT NULL;
CREATE INDEX order_lines_by_order_waiting ON order_lines (order_id, sku) WHERE waiting > 0;
CREATE INDEX order_lines_by_order_ended ON order_lines (order_id, sku) WHERE ended IS NOT NULL;
CREATE INDEX order_lines_by_order_picked ON order_lines (order_id, sku) WHERE picked > 0;
ALTER TABLE order_lines ALTER COLUMN order_id RESET (n_distinct);
