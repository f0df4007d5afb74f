-- What provincial versions are built on: questionnaires that came with the program, were sent by UNICEF, or stand as released.
-- Cases are the answers with their expected outcome that came with it.
CREATE TABLE form_bases (
    hash TEXT PRIMARY KEY,
    form TEXT NOT NULL,
    version INTEGER NOT NULL,
    source TEXT NOT NULL,
    note TEXT NOT NULL,
    added_at BIGINT NOT NULL,
    added_by TEXT,
    package BLOB NOT NULL,
    cases BLOB NOT NULL
);
CREATE INDEX form_bases_by_form ON form_bases (form, added_at);
CREATE TRIGGER form_bases_never_change BEFORE UPDATE ON form_bases
BEGIN SELECT RAISE(ABORT, 'bases are never changed'); END;
CREATE TRIGGER form_bases_never_go BEFORE DELETE ON form_bases
BEGIN SELECT RAISE(ABORT, 'bases are never deleted'); END;

-- A list of operations on a base, somebody's. version: the number of its last draft_versions row.
CREATE TABLE drafts (
    id TEXT PRIMARY KEY,
    form TEXT NOT NULL,
    title TEXT NOT NULL,
    author TEXT NOT NULL,
    state TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE INDEX drafts_by_change ON drafts (changed_at, id);

-- Every save of a draft: its history.
CREATE TABLE draft_versions (
    draft_id TEXT NOT NULL,
    n INTEGER NOT NULL,
    at BIGINT NOT NULL,
    account_id TEXT,
    how TEXT NOT NULL,
    base TEXT NOT NULL,
    title TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (draft_id, n)
) WITHOUT ROWID;
CREATE TRIGGER draft_versions_never_change BEFORE UPDATE ON draft_versions
BEGIN SELECT RAISE(ABORT, 'versions of a draft are never changed'); END;
CREATE TRIGGER draft_versions_never_go BEFORE DELETE ON draft_versions
BEGIN SELECT RAISE(ABORT, 'versions of a draft are never deleted'); END;

-- What is put to the vote. n: the number of its last proposal_versions row; everything about an earlier one is void.
CREATE TABLE proposals (
    id TEXT PRIMARY KEY,
    form TEXT NOT NULL,
    title TEXT NOT NULL,
    author TEXT NOT NULL,
    draft_id TEXT NOT NULL,
    state TEXT NOT NULL,
    n INTEGER NOT NULL,
    hash TEXT NOT NULL,
    package_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    opened_at BIGINT,
    closes_at BIGINT,
    decided_at BIGINT,
    release_version INTEGER,
    minutes_hash TEXT,
    version INTEGER NOT NULL
);
CREATE INDEX proposals_by_form ON proposals (form, release_version);
CREATE INDEX proposals_by_time ON proposals (created_at, id);

-- What was frozen each time, whole.
CREATE TABLE proposal_versions (
    proposal_id TEXT NOT NULL,
    n INTEGER NOT NULL,
    hash TEXT NOT NULL,
    package_hash TEXT NOT NULL,
    frozen_at BIGINT NOT NULL,
    frozen_by TEXT,
    draft_version INTEGER NOT NULL,
    against INTEGER NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (proposal_id, n)
) WITHOUT ROWID;
CREATE TRIGGER proposal_versions_never_change BEFORE UPDATE ON proposal_versions
BEGIN SELECT RAISE(ABORT, 'versions of a proposal are never changed'); END;
CREATE TRIGGER proposal_versions_never_go BEFORE DELETE ON proposal_versions
BEGIN SELECT RAISE(ABORT, 'versions of a proposal are never deleted'); END;

CREATE TABLE proposal_comments (
    id TEXT PRIMARY KEY,
    proposal_id TEXT NOT NULL,
    n INTEGER NOT NULL,
    at BIGINT NOT NULL,
    account_id TEXT NOT NULL,
    answers TEXT,
    question TEXT,
    body TEXT NOT NULL
);
CREATE INDEX proposal_comments_by_proposal ON proposal_comments (proposal_id, at, id);
CREATE TRIGGER proposal_comments_never_change BEFORE UPDATE ON proposal_comments
BEGIN SELECT RAISE(ABORT, 'comments are never changed'); END;
CREATE TRIGGER proposal_comments_never_go BEFORE DELETE ON proposal_comments
BEGIN SELECT RAISE(ABORT, 'comments are never deleted'); END;
