-- Used on PostgreSQL alone; here that both have the same tables.
CREATE TABLE commit_marks (
    id TEXT PRIMARY KEY,
    n BIGINT NOT NULL,
    at BIGINT NOT NULL
);

-- What is looked for and rare: without these, a list of it would walk through everything else. A whole index where
-- PostgreSQL has a partial one: SQLite cannot tell from a parameter that a partial one would do.
CREATE INDEX finding_cases_due ON finding_cases (state, due_at, id);

-- Lists are in the order of time and then id. The id is most of such an index, and tells apart only what came in the same
-- microsecond: that little is sorted when it is read.
DROP INDEX submissions_by_time;
CREATE INDEX submissions_by_time ON submissions (received_at);
DROP INDEX submissions_by_district;
CREATE INDEX submissions_by_district ON submissions (district, received_at);
DROP INDEX submissions_by_filer;
CREATE INDEX submissions_by_filer ON submissions (account_id, received_at);
DROP INDEX submissions_waiting_by_district;
CREATE INDEX submissions_waiting_by_district ON submissions (district, form, queue_rank, received_at)
    WHERE review = 'received';
DROP INDEX submissions_waiting_by_division;
CREATE INDEX submissions_waiting_by_division ON submissions (division, form, queue_rank, received_at)
    WHERE review = 'received';
DROP INDEX submissions_waiting_by_province;
CREATE INDEX submissions_waiting_by_province ON submissions (province, form, queue_rank, received_at)
    WHERE review = 'received';
