-- Waits until all events are relayed, and returns how many there were a second, from the
-- first that the relay had marked.
SET statement_timeout = '10min';
CREATE TEMPORARY TABLE relayed (events bigint, rate bigint);
DO $$
DECLARE
    begun timestamptz;
    before bigint;
    marked bigint;
    measured bigint;
    newest bigint;
BEGIN
    SELECT last_position, checkpoint, checkpoint INTO newest, before, marked FROM event_log, relay;
    WHILE marked < newest LOOP
        PERFORM pg_sleep(0.01);
        SELECT checkpoint INTO marked FROM relay;
        IF begun IS NULL AND marked > before THEN
            begun := clock_timestamp();
            measured := newest - marked;
        END IF;
    END LOOP;
    INSERT INTO relayed
    SELECT measured, measured / extract(epoch FROM clock_timestamp() - begun);
END
$$;
