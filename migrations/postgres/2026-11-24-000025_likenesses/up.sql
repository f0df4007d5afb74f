-- What filings with a release have in common, kept once (packed). Filings are packed by it, and cannot be read without it.
CREATE TABLE likenesses (
    digest TEXT PRIMARY KEY,
    release_hash TEXT NOT NULL UNIQUE,
    text BYTEA NOT NULL
);
CREATE FUNCTION likenesses_never_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'likenesses are never changed or deleted'; END $$;
CREATE TRIGGER likenesses_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON likenesses
FOR EACH STATEMENT EXECUTE FUNCTION likenesses_never_change();
