-- Decisions about submissions, and the queue of those that wait for one.
-- queue_rank is a submission's place in the queue: 0 for the clean, below it by what was found, so that the queue reads
-- upwards: the gravest first, then the oldest. The indices hold only what waits.
ALTER TABLE submissions ADD COLUMN queue_rank INTEGER NOT NULL DEFAULT 0;

-- What was filed before: by its findings and verdict. Its flags stand in its judgement, which SQL cannot read.
UPDATE submissions SET queue_rank = -(
    100000 * COALESCE((
        SELECT MAX(CASE severity WHEN 'info' THEN 1 WHEN 'minor' THEN 2 WHEN 'major' THEN 3 WHEN 'critical' THEN 4
                   WHEN 'emergency' THEN 5 WHEN 'stop' THEN 6 ELSE 0 END)
        FROM findings
        WHERE findings.submission_id = submissions.id AND findings.revision = submissions.revision
    ), 0)
    + CASE verdict WHEN 'valid' THEN 0 ELSE 1 END
);

CREATE INDEX submissions_waiting_by_district ON submissions (district, form, queue_rank, received_at, id)
    WHERE review = 'received';
CREATE INDEX submissions_waiting_by_division ON submissions (division, form, queue_rank, received_at, id)
    WHERE review = 'received';
CREATE INDEX submissions_waiting_by_province ON submissions (province, form, queue_rank, received_at, id)
    WHERE review = 'received';
-- The last visit to a facility.
CREATE INDEX submissions_by_facility ON submissions (facility, form, finished_at)
    WHERE facility IS NOT NULL;

-- n counts a submission's decisions from 1: of two at once, one finds its number taken.
CREATE TABLE review_events (
    submission_id TEXT NOT NULL,
    n INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    revision INTEGER NOT NULL,
    action TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    role TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    reason TEXT,
    notes TEXT,
    comments TEXT NOT NULL,
    due_at BIGINT,
    PRIMARY KEY (submission_id, n)
);
CREATE TRIGGER review_events_never_change BEFORE UPDATE ON review_events
BEGIN SELECT RAISE(ABORT, 'review_events are never changed'); END;
CREATE TRIGGER review_events_never_go BEFORE DELETE ON review_events
BEGIN SELECT RAISE(ABORT, 'review_events are never deleted'); END;
