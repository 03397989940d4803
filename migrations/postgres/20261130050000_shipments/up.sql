-- kind: expand
-- The picked units of a pick line that were shipped. A program from before ships a line as a whole and leaves this 0, so
-- all units of a line with the status shipped count. Of a line of which a part was shipped, it would ship, put back or
-- correct all units: this constraint rejects it.
ALTER TABLE pick_list_lines ADD COLUMN shipped integer NOT NULL DEFAULT 0
    CONSTRAINT pick_list_lines_shipped CHECK (
        shipped BETWEEN 0 AND picked AND (shipped < picked OR status <> 'picked')
        AND (status <> 'shipped' OR shipped IN (0, picked))
    );
ALTER TABLE archived_pick_lines ADD COLUMN shipped integer NOT NULL DEFAULT 0 CHECK (shipped BETWEEN 0 AND picked);
-- Picked units that left together.
CREATE TABLE shipments (
    shipment_id text COLLATE "C" PRIMARY KEY,
    carrier text COLLATE "C",
    tracking text COLLATE "C",
    shipped_at bigint NOT NULL
);
-- They may outlive their order, their batch and their pick line.
CREATE TABLE shipment_lines (
    shipment_id text COLLATE "C" NOT NULL,
    list_id text COLLATE "C" NOT NULL,
    line integer NOT NULL,
    order_id text COLLATE "C" NOT NULL,
    sku text COLLATE "C" NOT NULL,
    reference text COLLATE "C" NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    -- Whether the request named the quantity, which distinguishes a repeat from another shipment of that id. Otherwise it
    -- took all that was left to ship.
    is_named boolean NOT NULL,
    PRIMARY KEY (shipment_id, list_id, line)
);
-- The shipments of an order.
CREATE INDEX shipment_lines_by_order ON shipment_lines (order_id, shipment_id, list_id, line);
