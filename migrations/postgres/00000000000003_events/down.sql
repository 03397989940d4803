-- The events go back to where they came from, without their positions.
DROP VIEW all_events;
DROP TABLE leases;
DROP TABLE event_log;
INSERT INTO outbox (sku, version, ordinal, type, order_id, payload, occurred_at)
SELECT sku, version, ordinal, type, order_id, payload, occurred_at FROM events;
DROP TABLE events;
DROP INDEX outbox_departures;
CREATE INDEX outbox_by_order ON outbox (order_id) WHERE order_id IS NOT NULL;
ALTER TABLE outbox
    DROP COLUMN causation_id,
    DROP COLUMN traceparent;
