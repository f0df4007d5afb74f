-- Published questionnaires. A release is written once and never changes.
CREATE TABLE releases (
    form TEXT NOT NULL,
    version INTEGER NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    published_at BIGINT NOT NULL,
    published_by TEXT,
    package BLOB NOT NULL,
    PRIMARY KEY (form, version)
);
CREATE TRIGGER releases_never_change BEFORE UPDATE ON releases
BEGIN SELECT RAISE(ABORT, 'releases are never changed'); END;
CREATE TRIGGER releases_never_go BEFORE DELETE ON releases
BEGIN SELECT RAISE(ABORT, 'releases are never deleted'); END;
