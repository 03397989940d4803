-- Waits until all events are relayed, and tells how many a second they were, from the
-- first that the relay had marked.
SET statement_timeout = '10min';
CREATE TEMPORARY TABLE relayed (events bigint, rate bigint);
DO $$
DECLARE
    begun timestamptz;
    first bigint;
    marked bigint := 0;
    newest bigint;
BEGIN
    SELECT last_position INTO newest FROM event_log;
    WHILE marked < newest LOOP
        PERFORM pg_sleep(0.01);
        SELECT bookmark INTO marked FROM relay;
        IF begun IS NULL AND marked > 0 THEN
            begun := clock_timestamp();
            first := marked;
        END IF;
    END LOOP;
    INSERT INTO relayed
    SELECT newest, (newest - first) / extract(epoch FROM clock_timestamp() - begun);
END
$$;
