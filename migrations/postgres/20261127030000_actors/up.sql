-- kind: contract 2
-- An event in a block has one more element, which programs before generation 2 do not accept: the author of the change,
-- 0 for a caller without credentials. Events from before have none.
UPDATE schema_generation SET generation = 2;

DROP VIEW all_events;
DROP VIEW events;
DROP VIEW outbox;

CREATE VIEW outbox AS
SELECT b.id, (e.event ->> 0) COLLATE "C" AS sku, (e.event ->> 1)::bigint AS version,
       (e.event ->> 2)::integer AS ordinal, b.occurred_at + (e.event ->> 3)::bigint AS occurred_at,
       (e.event ->> 4) COLLATE "C" AS type, (e.event ->> 5) COLLATE "C" AS order_id,
       (e.event ->> 6) COLLATE "C" AS reference, (e.event ->> 7) COLLATE "C" AS traceparent,
       (e.event ->> 8) COLLATE "C" AS causation_id,
       (e.event ->> 9) COLLATE "C" AS payload,
       CASE e.event ->> 10 WHEN '0' THEN 'anonymous' ELSE e.event ->> 10 END COLLATE "C" AS actor
FROM outbox_blocks AS b CROSS JOIN LATERAL json_array_elements(b.events::json) AS e (event);

CREATE VIEW events AS
SELECT b.first_position + e.n - 1 AS position, (e.event ->> 0) COLLATE "C" AS sku, (e.event ->> 1)::bigint AS version,
       (e.event ->> 2)::integer AS ordinal, e.block_at + (e.event ->> 3)::bigint AS occurred_at,
       (e.event ->> 4) COLLATE "C" AS type, (e.event ->> 5) COLLATE "C" AS order_id,
       (e.event ->> 6) COLLATE "C" AS reference, (e.event ->> 7) COLLATE "C" AS traceparent,
       (e.event ->> 8) COLLATE "C" AS causation_id,
       (e.event ->> 9) COLLATE "C" AS payload,
       CASE e.event ->> 10 WHEN '0' THEN 'anonymous' ELSE e.event ->> 10 END COLLATE "C" AS actor
FROM event_blocks AS b CROSS JOIN LATERAL (
    SELECT a.event, coalesce(nullif(split_part(l.line, '[', 1), '')::bigint, b.occurred_at) AS block_at,
           row_number() OVER (ORDER BY l.n, a.n) AS n
    FROM unnest(string_to_array(b.events, E'\n')) WITH ORDINALITY AS l (line, n)
    CROSS JOIN LATERAL json_array_elements(substr(l.line, strpos(l.line, '['))::json) WITH ORDINALITY AS a (event, n)
) AS e;

-- Every retained event, with a position or without.
CREATE VIEW all_events AS
SELECT sku, version, ordinal, type, order_id, payload, occurred_at, actor FROM events
UNION ALL
SELECT sku, version, ordinal, type, order_id, payload, occurred_at, actor FROM outbox;
