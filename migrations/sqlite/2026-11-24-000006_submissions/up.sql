-- A submission is a head that moves (review, media, place) over revisions that never change.
-- A revision's content is the bytes as they came and what was said of them, packed as a pair; the place found at
-- filing stands in it. edition names the boundary sets a head's place comes from; a later one adds a row to place_tags.
CREATE TABLE submissions (
    id TEXT PRIMARY KEY,
    form TEXT NOT NULL,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    revision INTEGER NOT NULL,
    content_hash TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    device_id TEXT,
    facility TEXT,
    verdict TEXT NOT NULL,
    media TEXT NOT NULL,
    review TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    finished_at BIGINT NOT NULL,
    province TEXT,
    division TEXT,
    district TEXT,
    tehsil TEXT,
    lat DOUBLE,
    lon DOUBLE,
    edition TEXT,
    findings INTEGER NOT NULL,
    summary TEXT NOT NULL
);
CREATE INDEX submissions_by_time ON submissions (received_at, id);
CREATE INDEX submissions_by_district ON submissions (district, received_at, id);
CREATE INDEX submissions_by_filer ON submissions (account_id, received_at, id);

CREATE TABLE revisions (
    submission_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    content_hash TEXT NOT NULL,
    release_hash TEXT NOT NULL,
    account_id TEXT NOT NULL,
    device_id TEXT,
    received_at BIGINT NOT NULL,
    content BLOB NOT NULL,
    receipt TEXT NOT NULL,
    PRIMARY KEY (submission_id, revision)
);
CREATE TRIGGER revisions_never_change BEFORE UPDATE ON revisions
BEGIN SELECT RAISE(ABORT, 'revisions are never changed'); END;
CREATE TRIGGER revisions_never_go BEFORE DELETE ON revisions
BEGIN SELECT RAISE(ABORT, 'revisions are never deleted'); END;

CREATE TABLE place_tags (
    submission_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    tagged_at BIGINT NOT NULL,
    status TEXT NOT NULL,
    edition TEXT NOT NULL,
    tag TEXT NOT NULL,
    PRIMARY KEY (submission_id, revision, edition)
);

CREATE TABLE findings (
    submission_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    position INTEGER NOT NULL,
    code TEXT NOT NULL,
    severity TEXT NOT NULL,
    row_key TEXT,
    provisional BOOLEAN NOT NULL,
    disclose BOOLEAN NOT NULL,
    due_at BIGINT,
    refer_to TEXT,
    PRIMARY KEY (submission_id, revision, position)
);
CREATE INDEX findings_by_code ON findings (code);

CREATE TABLE quarantine (
    id TEXT PRIMARY KEY,
    submission_id TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    account_id TEXT NOT NULL,
    device_id TEXT,
    received_at BIGINT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    raw BLOB NOT NULL,
    released_at BIGINT,
    UNIQUE (submission_id, content_hash)
);
