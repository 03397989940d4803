-- Batches whose lines are moved in steps, and the lines of a batch in the order in which they are served.

-- The place of a line in the queue, beside what it holds, so that an index has the lines of a batch in the
-- order in which they are served. `precedence` is ~priority: the smaller is served first. A line that was
-- sent alone has the default. Neither changes as long as the line exists.
ALTER TABLE allocations ADD COLUMN precedence INTEGER NOT NULL DEFAULT -1
    CHECK (precedence BETWEEN -2147483648 AND 2147483647);
ALTER TABLE allocations ADD COLUMN placed_at INTEGER NOT NULL DEFAULT 0;
UPDATE allocations SET precedence = ~l.priority, placed_at = l.placed_at
FROM order_lines AS l
WHERE l.sku = allocations.sku AND l.order_id = allocations.order_id;
-- In place of the index by order: an allocation writes as many entries as before.
DROP INDEX allocations_by_batch;
CREATE INDEX allocations_by_batch ON allocations (reference, precedence, placed_at, order_id);

-- What is still to be done with the lines of a batch after a correction, as JSON; NULL of nearly all.
ALTER TABLE batches ADD COLUMN moving TEXT;
CREATE INDEX batches_moving ON batches (sku, reference) WHERE moving IS NOT NULL;
