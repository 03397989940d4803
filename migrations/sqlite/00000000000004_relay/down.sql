DROP INDEX outbox_by_cause;
DROP INDEX events_by_cause;
DROP TABLE parked_events;
DROP TABLE relay;
