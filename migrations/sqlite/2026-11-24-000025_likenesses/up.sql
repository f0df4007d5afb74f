-- What filings with a release have in common, kept once (packed). Filings are packed by it, and cannot be read without it.
CREATE TABLE likenesses (
    digest TEXT PRIMARY KEY,
    release_hash TEXT NOT NULL UNIQUE,
    text BLOB NOT NULL
);
CREATE TRIGGER likenesses_never_change BEFORE UPDATE ON likenesses
BEGIN SELECT RAISE(ABORT, 'likenesses are never changed'); END;
CREATE TRIGGER likenesses_never_go BEFORE DELETE ON likenesses
BEGIN SELECT RAISE(ABORT, 'likenesses are never deleted'); END;
