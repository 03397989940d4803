ALTER TABLE event_log DROP COLUMN retention_time;
DROP TABLE schema_generation;
