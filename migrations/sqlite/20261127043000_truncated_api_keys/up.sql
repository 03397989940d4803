-- kind: expand
-- Nothing changes here: SQLite has no TRUNCATE, and DELETE runs the triggers of rows.
SELECT 1;
