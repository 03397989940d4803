-- kind: expand
-- Whether the last free unit was allocated and none has been free since. A program from before does not set it: its
-- products come back without an event.
ALTER TABLE products ADD COLUMN sold_out INTEGER NOT NULL DEFAULT 0 CHECK (sold_out IN (0, 1));
