-- What several servers over one database know of each other.

-- Always empty: a row comes and goes when a server asks whether the database takes writes.
CREATE TABLE pulse (
    id TEXT PRIMARY KEY
);

-- Failed logins, by a digest of the name or address they were made at; when each bucket will have run empty.
CREATE TABLE login_buckets (
    key TEXT PRIMARY KEY,
    empty_at BIGINT NOT NULL
);
CREATE INDEX login_buckets_by_time ON login_buckets (empty_at);

-- The ids of the keys this installation signs with; the keys themselves are files of the servers.
CREATE TABLE signing_keys (
    kid TEXT PRIMARY KEY,
    registered_at BIGINT NOT NULL
);
