-- What was found in a photo: what its camera wrote, and whether it could be decoded. Written once; copies and
-- thumbnails made of it lie in the bucket under keys of the same hash.
CREATE TABLE photos (
    sha256 TEXT PRIMARY KEY REFERENCES media_objects (sha256),
    state TEXT NOT NULL,
    why TEXT,
    width INTEGER,
    height INTEGER,
    orientation INTEGER,
    taken_at TEXT,
    lat DOUBLE PRECISION,
    lon DOUBLE PRECISION,
    position_error_m DOUBLE PRECISION,
    make TEXT,
    model TEXT,
    copy_size BIGINT,
    thumb_size BIGINT,
    understood_at BIGINT NOT NULL
);

-- Flags raised after a revision was judged, or by what only the database knows. subject: the file or the other
-- submission it is about. The revision's own flags stand in its judgement; readers see both.
CREATE TABLE late_flags (
    submission_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    code TEXT NOT NULL,
    subject TEXT NOT NULL,
    figures TEXT NOT NULL,
    raised_at BIGINT NOT NULL,
    PRIMARY KEY (submission_id, revision, code, subject)
);

CREATE INDEX submissions_by_visit ON submissions (account_id, finished_at, id);
