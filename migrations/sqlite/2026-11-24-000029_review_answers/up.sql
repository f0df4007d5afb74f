-- What reviewers answered themselves, apart from what was filed. Each row is all their answers to one revision, as they stood from then on;
-- n counts a submission's rows from 1: of two at once, one finds its number taken. answers: path -> answer. said: what was asked then, and
-- what the rules find in both together.
CREATE TABLE review_answers (
    submission_id TEXT NOT NULL,
    n INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    revision INTEGER NOT NULL,
    answered_by TEXT NOT NULL,
    role TEXT NOT NULL,
    answered_at BIGINT NOT NULL,
    answers TEXT NOT NULL,
    said TEXT NOT NULL,
    PRIMARY KEY (submission_id, n)
);
CREATE TRIGGER review_answers_never_change BEFORE UPDATE ON review_answers
BEGIN SELECT RAISE(ABORT, 'review_answers are never changed'); END;
CREATE TRIGGER review_answers_never_go BEFORE DELETE ON review_answers
BEGIN SELECT RAISE(ABORT, 'review_answers are never deleted'); END;
