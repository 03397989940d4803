DROP TABLE api_keys, api_keys_version;
DROP FUNCTION raise_api_keys_version;
