-- kind: expand
-- The units that were found for a pick line, and are back on the shelf: they are neither picked nor missing. A program
-- from before takes the line for one of which `picked` units were found.
ALTER TABLE pick_list_lines ADD COLUMN put_back INTEGER NOT NULL DEFAULT 0 CHECK (put_back BETWEEN 0 AND 2147483647);
ALTER TABLE archived_pick_lines ADD COLUMN put_back integer NOT NULL DEFAULT 0 CHECK (put_back >= 0);
