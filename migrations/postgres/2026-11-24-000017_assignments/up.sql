-- A visit somebody is to make. It is completed by the submission that shows it was made, wherever that was filed; it is
-- never deleted. assignee empty: whoever of `pool` takes it. once: what it must not be made twice for.
CREATE TABLE assignments (
    id TEXT PRIMARY KEY,
    form TEXT NOT NULL,
    kind TEXT NOT NULL,
    line TEXT NOT NULL,
    facility TEXT NOT NULL,
    province TEXT,
    division TEXT,
    district TEXT,
    pool TEXT,
    origin TEXT NOT NULL,
    origin_id TEXT,
    assignee TEXT,
    not_for TEXT NOT NULL,
    findings TEXT NOT NULL,
    reason TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    counts_from BIGINT NOT NULL,
    state TEXT NOT NULL,
    completed_by TEXT,
    completed_account TEXT,
    completed_at BIGINT,
    cancelled_because TEXT,
    made_at BIGINT NOT NULL,
    made_by TEXT,
    once TEXT UNIQUE,
    version INTEGER NOT NULL
);
CREATE INDEX assignments_open_at ON assignments (facility) WHERE state = 'open';
CREATE INDEX assignments_by_district ON assignments (district, due_at, id);
CREATE INDEX assignments_by_pool ON assignments (pool) WHERE state = 'open' AND assignee IS NULL;
CREATE INDEX assignments_by_assignee ON assignments (assignee, due_at, id) WHERE assignee IS NOT NULL;
CREATE INDEX assignments_by_completion ON assignments (completed_by) WHERE completed_by IS NOT NULL;
CREATE INDEX assignments_by_origin ON assignments (origin_id) WHERE origin_id IS NOT NULL;

-- What happened to an assignment, in order: n is its version after it.
CREATE TABLE assignment_events (
    assignment_id TEXT NOT NULL,
    n INTEGER NOT NULL,
    at BIGINT NOT NULL,
    account_id TEXT,
    deed TEXT NOT NULL,
    state TEXT NOT NULL,
    submission_id TEXT,
    reason TEXT,
    details TEXT NOT NULL,
    PRIMARY KEY (assignment_id, n)
);
CREATE FUNCTION assignment_events_never_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'assignment events are never changed or deleted'; END $$;
CREATE TRIGGER assignment_events_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON assignment_events
FOR EACH STATEMENT EXECUTE FUNCTION assignment_events_never_change();
CREATE FUNCTION assignments_never_go() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'assignments are never deleted'; END $$;
CREATE TRIGGER assignments_never_go BEFORE DELETE OR TRUNCATE ON assignments
FOR EACH STATEMENT EXECUTE FUNCTION assignments_never_go();
