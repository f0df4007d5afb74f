-- Used on PostgreSQL alone; here that both have the same tables.
CREATE TABLE commit_marks (
    id TEXT PRIMARY KEY,
    n BIGINT NOT NULL,
    at BIGINT NOT NULL
);

-- What is looked for and rare: without these, a list of it would walk through everything else. A whole index where
-- PostgreSQL has a partial one: SQLite cannot tell from a parameter that a partial one would do.
CREATE INDEX finding_cases_due ON finding_cases (state, due_at, id);
