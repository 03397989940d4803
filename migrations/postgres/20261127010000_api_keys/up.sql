-- kind: expand
-- The keys of callers. Their secrets are stored nowhere.
CREATE TABLE api_keys (
    id text COLLATE "C" PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    -- Names, separated by spaces.
    scopes text COLLATE "C" NOT NULL,
    -- The SHA-256 of the key.
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    -- The digest before the last rotation, and when it ceases to be accepted.
    previous_digest bytea CHECK (octet_length(previous_digest) = 32),
    previous_until bigint,
    -- The requests that each replica accepts, such as 100/s. Null: any number.
    rate text COLLATE "C",
    created_at bigint NOT NULL,
    expires_at bigint,
    revoked_at bigint,
    last_used_on date,
    CHECK ((previous_digest IS NULL) = (previous_until IS NULL))
);

-- The number of changes of keys: replicas load the keys again when it grows. 0: there has never been a key.
CREATE TABLE api_keys_version (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version bigint NOT NULL CHECK (version >= 0)
);
INSERT INTO api_keys_version (version) VALUES (0);

CREATE FUNCTION raise_api_keys_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE api_keys_version SET version = version + 1;
    RETURN NULL;
END
$$;
-- The day of the last use is no change.
CREATE TRIGGER api_keys_changed AFTER INSERT OR DELETE OR UPDATE OF
    id, name, scopes, digest, previous_digest, previous_until, rate, created_at, expires_at, revoked_at
ON api_keys FOR EACH ROW EXECUTE FUNCTION raise_api_keys_version();
