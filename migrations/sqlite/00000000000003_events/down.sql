-- The events go back to where they came from, without their positions, before those that have none.
DROP VIEW all_events;
DROP TABLE leases;
INSERT INTO events (position, sku, version, ordinal, type, order_id, payload, occurred_at)
SELECT (SELECT last_position FROM event_log) + row_number() OVER (ORDER BY rowid),
       sku, version, ordinal, type, order_id, payload, occurred_at
FROM outbox;
DELETE FROM outbox;
INSERT INTO outbox (sku, version, ordinal, type, order_id, payload, occurred_at)
SELECT sku, version, ordinal, type, order_id, payload, occurred_at FROM events ORDER BY position;
DROP TABLE event_log;
DROP TABLE events;
CREATE INDEX outbox_by_order ON outbox (order_id) WHERE order_id IS NOT NULL;
ALTER TABLE outbox DROP COLUMN causation_id;
ALTER TABLE outbox DROP COLUMN traceparent;
