-- Files by the hash of their content, and the names under which submissions hold them.
-- A file may arrive before its submission: submission_media refers to no submissions row.
CREATE TABLE media_objects (
    sha256 TEXT PRIMARY KEY,
    size BIGINT NOT NULL,
    content_type TEXT NOT NULL,
    stored_at BIGINT NOT NULL
);

CREATE TABLE submission_media (
    submission_id TEXT NOT NULL,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL REFERENCES media_objects (sha256),
    account_id TEXT NOT NULL,
    arrived_at BIGINT NOT NULL,
    PRIMARY KEY (submission_id, name)
);
CREATE INDEX submission_media_by_hash ON submission_media (sha256);
