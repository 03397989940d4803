-- kind: expand
-- When the line was shipped in full, or ended with nothing allocated or picked. Programs from before do not write it: the
-- archive dates their lines when it finds them.
ALTER TABLE order_lines ADD COLUMN completed_at INTEGER;
-- Complete lines in the order in which they were completed. A line that is not complete has no entry in these indexes, so a
-- new allocation writes none.
CREATE INDEX order_lines_by_completion ON order_lines (completed_at, order_id) WHERE completed_at IS NOT NULL;
-- Complete lines without a date.
CREATE INDEX order_lines_undated ON order_lines (sku, order_id)
WHERE completed_at IS NULL AND reference IS NULL AND waiting = 0 AND listed = 0 AND picked = 0 AND expires_at IS NULL
  AND (shipped = quantity OR ended IS NOT NULL OR closed);

-- Orders whose lines are all complete, moved here after a time. An order is here or in the tables of current orders,
-- never in both. Programs of generation 2 do not look here: the first order that is archived shuts them out.
CREATE TABLE archived_orders (
    order_id TEXT NOT NULL PRIMARY KEY,
    -- The columns of `orders`; null for an order that has only standalone lines.
    lines TEXT,
    priority INTEGER,
    backorders INTEGER,
    allow_split INTEGER,
    hold_seconds INTEGER,
    placed_at INTEGER
) STRICT, WITHOUT ROWID;

-- The columns of `order_lines` in which complete lines differ.
CREATE TABLE archived_lines (
    sku TEXT NOT NULL,
    order_id TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    placed_at INTEGER NOT NULL,
    of_order INTEGER NOT NULL,
    precedence INTEGER NOT NULL,
    backorders INTEGER NOT NULL,
    allow_split INTEGER NOT NULL,
    ended TEXT,
    closed INTEGER NOT NULL,
    shipped INTEGER NOT NULL,
    completed_at INTEGER NOT NULL,
    PRIMARY KEY (order_id, sku),
    CONSTRAINT archived_lines_complete CHECK (shipped = quantity OR ended IS NOT NULL OR closed)
) STRICT, WITHOUT ROWID;

-- The pick lines of archived lines.
CREATE TABLE archived_pick_lines (
    list_id TEXT NOT NULL,
    line INTEGER NOT NULL,
    sku TEXT NOT NULL,
    order_id TEXT NOT NULL,
    reference TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    picked INTEGER NOT NULL,
    status TEXT NOT NULL,
    PRIMARY KEY (list_id, line),
    CONSTRAINT archived_pick_lines_final CHECK (status IN ('missing', 'shipped', 'withdrawn'))
) STRICT, WITHOUT ROWID;
CREATE INDEX archived_pick_lines_by_line ON archived_pick_lines (sku, order_id);
