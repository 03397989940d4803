-- kind: expand
-- Counts of stock. The content has the lines and what was entered, as JSON; it may outlive the batches. The other columns
-- repeat what a list of counts shows, so that a page does not read the lines.
CREATE TABLE stock_counts (
    count_id TEXT NOT NULL PRIMARY KEY,
    opened_at INTEGER NOT NULL,
    -- Null: open.
    closed_at INTEGER,
    is_blind INTEGER NOT NULL CHECK (is_blind IN (0, 1)),
    lines INTEGER NOT NULL CHECK (lines BETWEEN 1 AND 500),
    entered INTEGER NOT NULL CHECK (entered BETWEEN 0 AND lines),
    content TEXT NOT NULL
) STRICT, WITHOUT ROWID;
