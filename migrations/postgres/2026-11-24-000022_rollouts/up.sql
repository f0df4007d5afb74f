-- What was decided about releases after they were written: from when and to whom they are given out, and that they are taken back.
-- Events only, n by n for each form. A release without any was given to everybody when it was published.
CREATE TABLE rollout_events (
    form TEXT NOT NULL,
    n INTEGER NOT NULL,
    version INTEGER NOT NULL,
    at BIGINT NOT NULL,
    account_id TEXT,
    deed TEXT NOT NULL,
    details TEXT NOT NULL,
    PRIMARY KEY (form, n)
);
CREATE FUNCTION rollout_events_never_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'rollout events are never changed or deleted'; END $$;
CREATE TRIGGER rollout_events_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON rollout_events
FOR EACH STATEMENT EXECUTE FUNCTION rollout_events_never_change();
