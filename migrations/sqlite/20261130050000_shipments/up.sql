-- kind: expand
-- The picked units of a pick line that were shipped. A program from before ships a line as a whole and leaves this 0, so
-- all units of a line with the status shipped count. Of a line of which a part was shipped, it would ship, put back or
-- correct all units: this constraint rejects it.
ALTER TABLE pick_list_lines ADD COLUMN shipped INTEGER NOT NULL DEFAULT 0
    CONSTRAINT pick_list_lines_shipped CHECK (
        shipped BETWEEN 0 AND picked AND (shipped < picked OR status <> 'picked')
        AND (status <> 'shipped' OR shipped IN (0, picked))
    );
ALTER TABLE archived_pick_lines ADD COLUMN shipped INTEGER NOT NULL DEFAULT 0 CHECK (shipped BETWEEN 0 AND picked);
-- Picked units that left together.
CREATE TABLE shipments (
    shipment_id TEXT NOT NULL PRIMARY KEY,
    carrier TEXT,
    tracking TEXT,
    shipped_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- They may outlive their order, their batch and their pick line.
CREATE TABLE shipment_lines (
    shipment_id TEXT NOT NULL,
    list_id TEXT NOT NULL,
    line INTEGER NOT NULL,
    order_id TEXT NOT NULL,
    sku TEXT NOT NULL,
    reference TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 2147483647),
    -- Whether the request named the quantity, which distinguishes a repeat from another shipment of that id. Otherwise it
    -- took all that was left to ship.
    is_named INTEGER NOT NULL CHECK (is_named IN (0, 1)),
    PRIMARY KEY (shipment_id, list_id, line)
) STRICT, WITHOUT ROWID;
-- The shipments of an order.
CREATE INDEX shipment_lines_by_order ON shipment_lines (order_id, shipment_id, list_id, line);
