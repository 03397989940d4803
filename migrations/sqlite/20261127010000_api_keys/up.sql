-- kind: expand
-- The keys of callers. Their secrets are stored nowhere.
CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    -- Names, separated by spaces.
    scopes TEXT NOT NULL,
    -- The SHA-256 of the key.
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    -- The digest before the last rotation, and when it ceases to be accepted.
    previous_digest BLOB CHECK (length(previous_digest) = 32),
    previous_until INTEGER,
    -- The requests that each replica accepts, such as 100/s. Null: any number.
    rate TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    last_used_on TEXT,
    CHECK ((previous_digest IS NULL) = (previous_until IS NULL))
) STRICT, WITHOUT ROWID;

-- The number of changes of keys: replicas load the keys again when it grows. 0: there has never been a key.
CREATE TABLE api_keys_version (
    only_row INTEGER NOT NULL PRIMARY KEY DEFAULT 1 CHECK (only_row = 1),
    version INTEGER NOT NULL CHECK (version >= 0)
) STRICT;
INSERT INTO api_keys_version (version) VALUES (0);

CREATE TRIGGER api_keys_added AFTER INSERT ON api_keys BEGIN
    UPDATE api_keys_version SET version = version + 1;
END;
-- The day of the last use is no change.
CREATE TRIGGER api_keys_changed AFTER UPDATE OF
    id, name, scopes, digest, previous_digest, previous_until, rate, created_at, expires_at, revoked_at
ON api_keys BEGIN
    UPDATE api_keys_version SET version = version + 1;
END;
CREATE TRIGGER api_keys_removed AFTER DELETE ON api_keys BEGIN
    UPDATE api_keys_version SET version = version + 1;
END;
