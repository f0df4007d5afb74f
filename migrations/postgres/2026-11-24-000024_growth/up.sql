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
