-- A case is a finding that somebody must act on: it is opened by the rules, moves through the hands of people, and is
-- never deleted. What a revision's rules said stays in `findings`; a case points to the revision that shows it last.
-- key: rule, place (facility, or submission where there is none), subject; of cases that run there is one a key.
CREATE TABLE finding_cases (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    code TEXT NOT NULL,
    kind TEXT NOT NULL,
    facility TEXT,
    submission_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    subject TEXT NOT NULL,
    rule TEXT NOT NULL,
    state TEXT NOT NULL,
    cause TEXT,
    severity TEXT NOT NULL,
    provisional BOOLEAN NOT NULL,
    disclose BOOLEAN NOT NULL,
    refer_to TEXT,
    recurrence INTEGER NOT NULL,
    opened_at BIGINT NOT NULL,
    visited_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    alarm_at BIGINT,
    level INTEGER NOT NULL,
    breached_at BIGINT,
    paused_at BIGINT,
    paused_for BIGINT NOT NULL,
    proposal TEXT,
    opened_by TEXT NOT NULL,
    filed_by TEXT NOT NULL,
    province TEXT,
    division TEXT,
    district TEXT,
    version INTEGER NOT NULL
);
CREATE UNIQUE INDEX finding_cases_running ON finding_cases (key) WHERE state IN ('open', 'acknowledged', 'referred');
CREATE INDEX finding_cases_by_key ON finding_cases (key);
CREATE INDEX finding_cases_by_due ON finding_cases (due_at, id);
CREATE INDEX finding_cases_by_district ON finding_cases (district, due_at, id);
CREATE INDEX finding_cases_by_facility ON finding_cases (facility) WHERE facility IS NOT NULL;
CREATE INDEX finding_cases_by_submission ON finding_cases (submission_id);
CREATE INDEX finding_cases_by_alarm ON finding_cases (alarm_at) WHERE alarm_at IS NOT NULL;

-- What happened to a case, in order: n is the case's version after it.
CREATE TABLE finding_events (
    finding_id TEXT NOT NULL,
    n INTEGER NOT NULL,
    at BIGINT NOT NULL,
    account_id TEXT,
    deed TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    submission_id TEXT,
    revision INTEGER,
    comment TEXT,
    details TEXT NOT NULL,
    PRIMARY KEY (finding_id, n)
) WITHOUT ROWID;
CREATE INDEX finding_events_by_submission ON finding_events (submission_id) WHERE submission_id IS NOT NULL;
CREATE TRIGGER finding_events_never_change BEFORE UPDATE ON finding_events
BEGIN SELECT RAISE(ABORT, 'finding events are never changed'); END;
CREATE TRIGGER finding_events_never_go BEFORE DELETE ON finding_events
BEGIN SELECT RAISE(ABORT, 'finding events are never deleted'); END;
CREATE TRIGGER finding_cases_never_go BEFORE DELETE ON finding_cases
BEGIN SELECT RAISE(ABORT, 'findings are never deleted'); END;

-- A finding sent to a body. part says which answers the receiver may see; nothing else is shown to it.
CREATE TABLE referrals (
    id TEXT PRIMARY KEY,
    finding_id TEXT NOT NULL REFERENCES finding_cases (id),
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    unit TEXT,
    state TEXT NOT NULL,
    basis TEXT NOT NULL,
    basis_note TEXT NOT NULL,
    approval TEXT,
    part TEXT NOT NULL,
    voice TEXT,
    sent_by TEXT NOT NULL,
    sent_at BIGINT NOT NULL,
    answer_by BIGINT NOT NULL,
    alarm_at BIGINT,
    answered_at BIGINT,
    answered_by TEXT,
    reason TEXT,
    case_number TEXT,
    outcome TEXT,
    done_at BIGINT,
    province TEXT,
    division TEXT,
    district TEXT,
    version INTEGER NOT NULL
);
CREATE UNIQUE INDEX referrals_by_case_number ON referrals (case_number) WHERE case_number IS NOT NULL;
CREATE INDEX referrals_by_finding ON referrals (finding_id);
CREATE INDEX referrals_by_unit ON referrals (unit, sent_at, id);
CREATE INDEX referrals_by_district ON referrals (district, sent_at, id);
CREATE INDEX referrals_by_alarm ON referrals (alarm_at) WHERE alarm_at IS NOT NULL;
CREATE TRIGGER referrals_never_go BEFORE DELETE ON referrals
BEGIN SELECT RAISE(ABORT, 'referrals are never deleted'); END;
