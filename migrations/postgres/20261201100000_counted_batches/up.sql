-- kind: expand
-- The batches of open counts. A batch is in at most one: two would book the same difference twice.
CREATE TABLE counted_batches (
    reference text COLLATE "C" PRIMARY KEY,
    count_id text COLLATE "C" NOT NULL REFERENCES stock_counts (count_id) ON DELETE CASCADE
);
CREATE INDEX counted_batches_by_count ON counted_batches (count_id);
-- A trigger, because programs from before this migration close counts, too.
CREATE FUNCTION release_counted_batches() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM counted_batches WHERE count_id = NEW.count_id;
    RETURN NULL;
END;
$$;
CREATE TRIGGER stock_counts_closed AFTER UPDATE OF closed_at ON stock_counts
FOR EACH ROW WHEN (NEW.closed_at IS NOT NULL) EXECUTE FUNCTION release_counted_batches();
-- A batch in two open counts belongs to the one that was opened first. Counts that an older program opens claim no
-- batches.
INSERT INTO counted_batches (reference, count_id)
SELECT line ->> 'reference', stock_counts.count_id
FROM stock_counts, json_array_elements(stock_counts.content::json -> 'lines') AS line
WHERE stock_counts.closed_at IS NULL
ORDER BY stock_counts.opened_at, stock_counts.count_id
ON CONFLICT (reference) DO NOTHING;
