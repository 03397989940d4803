-- Texts compare by their bytes (COLLATE "C"), as the domain compares them. Every table that an
-- allocation writes carries the SKU, which comes first in its primary key. Instants are
-- microseconds since 1970-01-01 in UTC.

-- The row that serialises the writers of a SKU. It is rewritten by every unit of work, so its pages
-- are half empty: the new version then stays on the page and no index is touched (HOT).
CREATE TABLE products (
    sku text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL CHECK (version >= 0)
) WITH (fillfactor = 50);

CREATE TABLE batches (
    sku text COLLATE "C" NOT NULL REFERENCES products (sku),
    reference text COLLATE "C" NOT NULL,
    purchased_quantity integer NOT NULL CHECK (purchased_quantity >= 1),
    allocated_quantity integer NOT NULL DEFAULT 0,
    eta date,
    added_at bigint NOT NULL,
    -- A column of its own, because an index whose predicate names the counter would have to be
    -- written with every change of the counter; this changes only when a batch fills up or frees.
    is_open boolean NOT NULL GENERATED ALWAYS AS (allocated_quantity < purchased_quantity) STORED,
    PRIMARY KEY (sku, reference),
    CONSTRAINT batches_not_oversold CHECK (allocated_quantity BETWEEN 0 AND purchased_quantity)
) WITH (fillfactor = 70);

-- The batches that can still be allocated from, in order of preference.
CREATE INDEX batches_open ON batches (sku, eta NULLS FIRST, added_at, reference) WHERE is_open;
-- Lists, in the order in which batches were added.
CREATE INDEX batches_by_added_at ON batches (added_at, reference);
CREATE INDEX batches_by_sku_and_added_at ON batches (sku, added_at, reference);
-- The planner must not take a SKU for as good as a key just because most SKUs have few batches: the
-- one with thousands would be walked through.
ALTER TABLE batches ALTER COLUMN sku SET (n_distinct = 100);

-- A reference names one batch, whatever its SKU.
CREATE TABLE batch_references (
    reference text COLLATE "C" PRIMARY KEY,
    sku text COLLATE "C" NOT NULL
);

CREATE TABLE order_lines (
    sku text COLLATE "C" NOT NULL,
    order_id text COLLATE "C" NOT NULL,
    quantity integer NOT NULL CHECK (quantity >= 1),
    PRIMARY KEY (sku, order_id)
);

CREATE TABLE allocations (
    sku text COLLATE "C" NOT NULL,
    order_id text COLLATE "C" NOT NULL,
    reference text COLLATE "C" NOT NULL,
    quantity integer NOT NULL CHECK (quantity >= 1),
    PRIMARY KEY (sku, order_id, reference),
    FOREIGN KEY (sku, reference) REFERENCES batches (sku, reference)
);

CREATE INDEX allocations_by_order ON allocations (order_id, sku, reference);
-- Without the SKU, which the reference implies: with it, the index would seem as good a way to a
-- line as the primary key, and lead through all lines of the SKU.
CREATE INDEX allocations_by_batch ON allocations (reference, order_id);
ALTER TABLE allocations ALTER COLUMN sku SET (n_distinct = 100);

-- Events, to be published after the unit of work that wrote them. A product's events are ordered by
-- version, then ordinal.
CREATE TABLE outbox (
    sku text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    ordinal integer NOT NULL CHECK (ordinal >= 0),
    type text COLLATE "C" NOT NULL,
    order_id text COLLATE "C",
    payload text COLLATE "C" NOT NULL,
    occurred_at bigint NOT NULL,
    PRIMARY KEY (sku, version, ordinal)
);
