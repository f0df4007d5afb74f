-- For many writers and many rows.
-- The number of the last transaction each writing connection has committed: asked when a connection breaks during a commit.
CREATE TABLE commit_marks (
    id TEXT PRIMARY KEY,
    n BIGINT NOT NULL,
    at BIGINT NOT NULL
);

-- Events come many in one statement; so do their places in the queue of the sealer.
DROP TRIGGER audit_events_queue ON audit_events;
CREATE OR REPLACE FUNCTION audit_events_queue() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO audit_unsealed (seq) SELECT seq FROM added; RETURN NULL; END $$;
CREATE TRIGGER audit_events_queue AFTER INSERT ON audit_events
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION audit_events_queue();

-- Each filing locked its filer's account for the sake of this key. Accounts are never deleted.
ALTER TABLE submissions DROP CONSTRAINT submissions_account_id_fkey;

-- What is packed already is not packed again.
ALTER TABLE revisions ALTER COLUMN content SET STORAGE EXTERNAL;

-- What is looked for and rare: without these, a list of it would walk through everything else.
CREATE INDEX submissions_sent_back ON submissions (review, received_at, id) WHERE review IN ('returned', 'rejected');
CREATE INDEX submissions_invalid ON submissions (received_at, id) WHERE verdict = 'invalid';
CREATE INDEX finding_cases_due ON finding_cases (due_at, id) WHERE state IN ('open', 'acknowledged', 'referred');

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
