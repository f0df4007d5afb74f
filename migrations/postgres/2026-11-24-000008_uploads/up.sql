-- Resumable uploads: what was announced, how far it has come, and the pieces in the bucket that hold it so far.
-- `received` is also the version of the row: who appends names the offset it appends to, and only one can.
CREATE TABLE uploads (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL,
    submission_id TEXT NOT NULL,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    content_type TEXT,
    size BIGINT NOT NULL,
    received BIGINT NOT NULL,
    state TEXT NOT NULL,
    because TEXT,
    cleared BOOLEAN NOT NULL,
    metadata TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX uploads_by_account ON uploads (account_id, state);
CREATE INDEX uploads_by_expiry ON uploads (state, expires_at);

CREATE TABLE upload_pieces (
    upload_id TEXT NOT NULL,
    first BIGINT NOT NULL,
    size BIGINT NOT NULL,
    level INTEGER NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (upload_id, first)
);
