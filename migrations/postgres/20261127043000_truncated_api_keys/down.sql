DROP TRIGGER api_keys_truncated ON api_keys;
