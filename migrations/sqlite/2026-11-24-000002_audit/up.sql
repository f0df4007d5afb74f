-- What was done, by whom; the queue of events not sealed yet; and the chain of seals.
-- The queue is filled by a trigger, so that an event written past the program is sealed all the same.
CREATE TABLE audit_events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at BIGINT NOT NULL,
    account_id TEXT,
    device_id TEXT,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    details TEXT NOT NULL
);
CREATE INDEX audit_events_by_subject ON audit_events (subject);
CREATE INDEX audit_events_by_account ON audit_events (account_id);

CREATE TABLE audit_unsealed (
    seq BIGINT PRIMARY KEY
);

CREATE TABLE audit_seals (
    n BIGINT PRIMARY KEY,
    sealed_at BIGINT NOT NULL,
    previous TEXT NOT NULL,
    members BLOB NOT NULL,
    hash TEXT NOT NULL
);

CREATE TRIGGER audit_events_queue AFTER INSERT ON audit_events
BEGIN INSERT INTO audit_unsealed (seq) VALUES (NEW.seq); END;
CREATE TRIGGER audit_events_never_change BEFORE UPDATE ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit_events are never changed'); END;
CREATE TRIGGER audit_events_never_go BEFORE DELETE ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit_events are never deleted'); END;
CREATE TRIGGER audit_seals_never_change BEFORE UPDATE ON audit_seals
BEGIN SELECT RAISE(ABORT, 'audit_seals are never changed'); END;
CREATE TRIGGER audit_seals_never_go BEFORE DELETE ON audit_seals
BEGIN SELECT RAISE(ABORT, 'audit_seals are never deleted'); END;
