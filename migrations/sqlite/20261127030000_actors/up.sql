-- kind: contract 2
-- An event in a block has one more element, which programs before generation 2 do not accept: the author of the change,
-- 0 for a caller without credentials. Events from before have none.
UPDATE schema_generation SET generation = 2;

DROP VIEW all_events;
DROP VIEW events;
DROP VIEW outbox;

CREATE VIEW outbox AS
SELECT b.id, e.value ->> 0 AS sku, e.value ->> 1 AS version, e.value ->> 2 AS ordinal,
       b.occurred_at + (e.value ->> 3) AS occurred_at, e.value ->> 4 AS type, e.value ->> 5 AS order_id,
       e.value ->> 6 AS reference, e.value ->> 7 AS traceparent, e.value ->> 8 AS causation_id,
       e.value -> 9 AS payload,
       CASE e.value -> 10 WHEN '0' THEN 'anonymous' ELSE e.value ->> 10 END AS actor
FROM outbox_blocks AS b, json_each(b.events) AS e;

CREATE VIEW events AS
SELECT b.first_position + e.key AS position, e.value ->> 0 AS sku, e.value ->> 1 AS version,
       e.value ->> 2 AS ordinal, b.occurred_at + (e.value ->> 3) AS occurred_at, e.value ->> 4 AS type,
       e.value ->> 5 AS order_id, e.value ->> 6 AS reference, e.value ->> 7 AS traceparent,
       e.value ->> 8 AS causation_id, e.value -> 9 AS payload,
       CASE e.value -> 10 WHEN '0' THEN 'anonymous' ELSE e.value ->> 10 END AS actor
FROM event_blocks AS b, json_each(b.events) AS e;

-- Every retained event, with a position or without.
CREATE VIEW all_events AS
SELECT sku, version, ordinal, type, order_id, payload, occurred_at, actor FROM events
UNION ALL
SELECT sku, version, ordinal, type, order_id, payload, occurred_at, actor FROM outbox;
