-- What was done, by whom; the queue of events not sealed yet; and the chain of seals.
-- The queue is filled by a trigger, so that an event written past the program is sealed all the same.
CREATE TABLE audit_events (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
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
    members BYTEA NOT NULL,
    hash TEXT NOT NULL
);

CREATE FUNCTION audit_events_queue() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO audit_unsealed (seq) VALUES (NEW.seq); RETURN NULL; END $$;
CREATE TRIGGER audit_events_queue AFTER INSERT ON audit_events
FOR EACH ROW EXECUTE FUNCTION audit_events_queue();
CREATE FUNCTION audit_events_never_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'audit_events are never changed or deleted'; END $$;
CREATE TRIGGER audit_events_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
FOR EACH STATEMENT EXECUTE FUNCTION audit_events_never_change();
CREATE FUNCTION audit_seals_never_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'audit_seals are never changed or deleted'; END $$;
CREATE TRIGGER audit_seals_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seals
FOR EACH STATEMENT EXECUTE FUNCTION audit_seals_never_change();
