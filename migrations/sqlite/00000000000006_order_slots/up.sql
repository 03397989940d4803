-- Nothing to change: SQLite has one writer at a time, so no line is added beside a decision on its order.
SELECT 1;
