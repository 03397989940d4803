-- kind: expand
-- When the line was shipped in full, or ended with nothing allocated or picked. Programs from before do not write it: the
-- archive dates their lines when it finds them.
ALTER TABLE order_lines ADD COLUMN completed_at bigint;
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
    order_id text COLLATE "C" PRIMARY KEY,
    -- The columns of `orders`; null for an order that has only standalone lines.
    lines text COLLATE "C",
    priority integer,
    backorders boolean,
    allow_split boolean,
    hold_seconds integer,
    placed_at bigint
);

-- The columns of `order_lines` in which complete lines differ.
CREATE TABLE archived_lines (
    sku text COLLATE "C" NOT NULL,
    order_id text COLLATE "C" NOT NULL,
    quantity integer NOT NULL,
    placed_at bigint NOT NULL,
    of_order boolean NOT NULL,
    precedence integer NOT NULL,
    backorders boolean NOT NULL,
    allow_split boolean NOT NULL,
    ended text COLLATE "C",
    closed boolean NOT NULL,
    shipped integer NOT NULL,
    completed_at bigint NOT NULL,
    PRIMARY KEY (order_id, sku),
    CONSTRAINT archived_lines_complete CHECK (shipped = quantity OR ended IS NOT NULL OR closed)
);

-- The pick lines of archived lines.
CREATE TABLE archived_pick_lines (
    list_id text COLLATE "C" NOT NULL,
    line integer NOT NULL,
    sku text COLLATE "C" NOT NULL,
    order_id text COLLATE "C" NOT NULL,
    reference text COLLATE "C" NOT NULL,
    quantity integer NOT NULL,
    picked integer NOT NULL,
    status text COLLATE "C" NOT NULL,
    PRIMARY KEY (list_id, line),
    CONSTRAINT archived_pick_lines_final CHECK (status IN ('missing', 'shipped', 'withdrawn'))
);
CREATE INDEX archived_pick_lines_by_line ON archived_pick_lines (sku, order_id);
ALTER TABLE archived_pick_lines ALTER COLUMN sku SET (n_distinct = 100);
