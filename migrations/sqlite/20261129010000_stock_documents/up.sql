-- kind: expand
-- The part of purchased_quantity that adjustments have added, negative if they have removed units: purchased_quantity is
-- the units of the batch after adjustments, as a program from before expects it. Such a program corrects it and leaves
-- the adjustments, so no constraint compares the two. Short picks are not in it; missing_quantity counts them.
ALTER TABLE batches ADD COLUMN adjusted_quantity INTEGER NOT NULL DEFAULT 0
    CHECK (adjusted_quantity BETWEEN -2147483647 AND 2147483647);
-- Documents that have changed stock, with what a repeat of them returns.
CREATE TABLE stock_documents (
    kind TEXT NOT NULL,
    document_id TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    -- The document as sent, which distinguishes a repeat from another one of that id, as JSON.
    request TEXT NOT NULL,
    -- The response, as JSON.
    outcome TEXT NOT NULL,
    PRIMARY KEY (kind, document_id)
) STRICT, WITHOUT ROWID;
