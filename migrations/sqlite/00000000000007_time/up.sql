-- Which programs may write, and the time by which events are retained.

-- In one row. A migration that programs of the generation before could write wrongly on raises it; one that
-- only adds what they leave alone does not. Every unit of work looks at it under its locks.
CREATE TABLE schema_generation (
    only_row INTEGER PRIMARY KEY DEFAULT 1 CHECK (only_row = 1),
    generation INTEGER NOT NULL CHECK (generation >= 1)
) STRICT;
INSERT INTO schema_generation (generation) VALUES (1);

-- It follows the clock no faster than time really passes. Null before the first look.
ALTER TABLE event_log ADD COLUMN retention_time INTEGER;
