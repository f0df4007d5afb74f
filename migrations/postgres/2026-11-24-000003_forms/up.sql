-- Published questionnaires. A release is written once and never changes.
CREATE TABLE releases (
    form TEXT NOT NULL,
    version INTEGER NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    published_at BIGINT NOT NULL,
    published_by TEXT,
    package BYTEA NOT NULL,
    PRIMARY KEY (form, version)
);
CREATE FUNCTION releases_never_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'releases are never changed or deleted'; END $$;
CREATE TRIGGER releases_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON releases
FOR EACH STATEMENT EXECUTE FUNCTION releases_never_change();
