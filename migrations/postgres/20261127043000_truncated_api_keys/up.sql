-- kind: expand
-- TRUNCATE removes rows without the triggers of rows; replicas would keep the removed keys until the next change.
CREATE TRIGGER api_keys_truncated AFTER TRUNCATE ON api_keys
FOR EACH STATEMENT EXECUTE FUNCTION raise_api_keys_version();
