DROP VIEW all_events;
DROP VIEW events;
DROP VIEW outbox;

CREATE VIEW outbox AS
SELECT b.id, e.value ->> 0 AS sku, e.value ->> 1 AS version, e.value ->> 2 AS ordinal,
       b.occurred_at + (e.value ->> 3) AS occurred_at, e.value ->> 4 AS type, e.value ->> 5 AS order_id,
       e.value ->> 6 AS reference, e.value ->> 7 AS traceparent, e.value ->> 8 AS causation_id,
       e.value -> 9 AS payload
FROM outbox_blocks AS b, json_each(b.events) AS e;

CREATE VIEW events AS
SELECT b.first_position + e.key AS position, e.value ->> 0 AS sku, e.value ->> 1 AS version,
       e.value ->> 2 AS ordinal, b.occurred_at + (e.value ->> 3) AS occurred_at, e.value ->> 4 AS type,
       e.value ->> 5 AS order_id, e.value ->> 6 AS reference, e.value ->> 7 AS traceparent,
       e.value ->> 8 AS causation_id, e.value -> 9 AS payload
FROM event_blocks AS b, json_each(b.events) AS e;

-- Every retained event, with a position or without.
CREATE VIEW all_events AS
SELECT sku, version, ordinal, type, order_id, payload, occurred_at FROM events
UNION ALL
SELECT sku, version, ordinal, type, order_id, payload, occurred_at FROM outbox;

UPDATE schema_generation SET generation = 1;
