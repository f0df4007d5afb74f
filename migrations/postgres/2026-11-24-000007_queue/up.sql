-- Work that waits to be done. A row goes when its work is done: what stands here waits, runs, or is parked.
-- due_at is when a job may be taken next: while it runs, the end of its lease. again: it was asked for once more
-- while it ran. once_key: of jobs of a kind with the same key there is one (NULL: no key, any number).
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    details TEXT NOT NULL,
    once_key TEXT,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    due_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    claim TEXT,
    again BOOLEAN NOT NULL,
    last_error TEXT,
    UNIQUE (kind, once_key)
);
CREATE INDEX jobs_due ON jobs (due_at, id) WHERE state <> 'parked';
CREATE INDEX jobs_by_state ON jobs (state, id);
