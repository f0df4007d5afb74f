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
) WITHOUT ROWID;
CREATE TRIGGER rollout_events_never_change BEFORE UPDATE ON rollout_events
BEGIN SELECT RAISE(ABORT, 'rollout events are never changed'); END;
CREATE TRIGGER rollout_events_never_go BEFORE DELETE ON rollout_events
BEGIN SELECT RAISE(ABORT, 'rollout events are never deleted'); END;
