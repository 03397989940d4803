-- kind: expand
-- Counts of stock. The content has the lines and what was entered, as JSON; it may outlive the batches. The other columns
-- repeat what a list of counts shows, so that a page does not read the lines.
CREATE TABLE stock_counts (
    count_id text COLLATE "C" NOT NULL PRIMARY KEY,
    opened_at bigint NOT NULL,
    -- Null: open.
    closed_at bigint,
    is_blind boolean NOT NULL,
    lines integer NOT NULL CHECK (lines BETWEEN 1 AND 500),
    entered integer NOT NULL CHECK (entered BETWEEN 0 AND lines),
    content text COLLATE "C" NOT NULL
);
