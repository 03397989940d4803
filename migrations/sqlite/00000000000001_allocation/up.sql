-- Texts compare by their bytes, as the domain compares them. Every table that an allocation writes
-- carries the SKU. Instants are microseconds since 1970-01-01 in UTC, dates are YYYY-MM-DD.
--
-- A page that a commit changes is written as a whole. So what a group of lines of many SKUs adds is
-- kept together where it can be: lines by their order, events by when they came.

-- The row that counts the units of work on a SKU.
CREATE TABLE products (
    sku TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL CHECK (version >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE batches (
    sku TEXT NOT NULL REFERENCES products (sku),
    reference TEXT NOT NULL,
    purchased_quantity INTEGER NOT NULL CHECK (purchased_quantity BETWEEN 1 AND 2147483647),
    allocated_quantity INTEGER NOT NULL DEFAULT 0,
    eta TEXT,
    added_at INTEGER NOT NULL,
    is_open INTEGER NOT NULL GENERATED ALWAYS AS (allocated_quantity < purchased_quantity) STORED,
    PRIMARY KEY (sku, reference),
    CONSTRAINT batches_not_oversold CHECK (allocated_quantity BETWEEN 0 AND purchased_quantity)
) STRICT, WITHOUT ROWID;

-- The batches that can still be allocated from, in order of preference (SQLite sorts NULL first).
CREATE INDEX batches_open ON batches (sku, eta, added_at, reference) WHERE is_open;
-- Lists, in the order in which batches were added.
CREATE INDEX batches_by_added_at ON batches (added_at, reference);
CREATE INDEX batches_by_sku_and_added_at ON batches (sku, added_at, reference);

-- A reference names one batch, whatever its SKU.
CREATE TABLE batch_references (
    reference TEXT NOT NULL PRIMARY KEY,
    sku TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE order_lines (
    sku TEXT NOT NULL,
    order_id TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 2147483647),
    PRIMARY KEY (order_id, sku)
) STRICT, WITHOUT ROWID;

CREATE TABLE allocations (
    sku TEXT NOT NULL,
    order_id TEXT NOT NULL,
    reference TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 2147483647),
    PRIMARY KEY (sku, order_id, reference),
    FOREIGN KEY (sku, reference) REFERENCES batches (sku, reference)
) STRICT, WITHOUT ROWID;

CREATE INDEX allocations_by_order ON allocations (order_id, sku, reference);
-- Without the SKU, which the reference implies: with it, the index would seem as good a way to a
-- line as the primary key, and lead through all lines of the SKU.
CREATE INDEX allocations_by_batch ON allocations (reference, order_id);

-- Events, to be published after the unit of work that wrote them. A product's events are ordered by
-- version, then ordinal.
CREATE TABLE outbox (
    sku TEXT NOT NULL,
    version INTEGER NOT NULL,
    ordinal INTEGER NOT NULL CHECK (ordinal >= 0),
    type TEXT NOT NULL,
    order_id TEXT,
    payload TEXT NOT NULL,
    occurred_at INTEGER NOT NULL
) STRICT;
