-- kind: expand
-- Each index of lines costs every new line, whether it has an entry or not: one index serves two lists here.
DROP INDEX order_lines_by_order_picked;
DROP INDEX order_lines_by_order_partly_shipped;
-- Orders of which units are picked, or of which a part of a line is shipped.
CREATE INDEX order_lines_by_order_taken ON order_lines (order_id, sku)
WHERE picked > 0 OR shipped > 0 AND shipped < quantity;
DROP INDEX order_lines_by_completion;
DROP INDEX order_lines_undated;
-- Complete lines in the order in which they were completed; those without a date are apart.
CREATE INDEX order_lines_complete ON order_lines (completed_at, order_id)
WHERE reference IS NULL AND waiting = 0 AND listed = 0 AND picked = 0 AND expires_at IS NULL
  AND (shipped = quantity OR ended IS NOT NULL OR closed);
