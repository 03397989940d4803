-- kind: expand
-- The batches of open counts. A batch is in at most one: two would book the same difference twice.
CREATE TABLE counted_batches (
    reference TEXT NOT NULL PRIMARY KEY,
    count_id TEXT NOT NULL REFERENCES stock_counts (count_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX counted_batches_by_count ON counted_batches (count_id);
-- A trigger, because programs from before this migration close counts, too.
CREATE TRIGGER stock_counts_closed AFTER UPDATE OF closed_at ON stock_counts WHEN NEW.closed_at IS NOT NULL BEGIN
    DELETE FROM counted_batches WHERE count_id = NEW.count_id;
END;
-- A batch in two open counts belongs to the one that was opened first. Counts that an older program opens claim no
-- batches.
INSERT INTO counted_batches (reference, count_id)
SELECT line.value ->> 'reference', stock_counts.count_id
FROM stock_counts, json_each(stock_counts.content, '$.lines') AS line
WHERE stock_counts.closed_at IS NULL
ORDER BY stock_counts.opened_at, stock_counts.count_id
ON CONFLICT (reference) DO NOTHING;
