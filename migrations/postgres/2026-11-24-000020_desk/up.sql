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
    package BYTEA NOT NULL,
    cases BYTEA NOT NULL
);
CREATE INDEX form_bases_by_form ON form_bases (form, added_at);
CREATE FUNCTION form_bases_never_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'bases are never changed or deleted'; END $$;
CREATE TRIGGER form_bases_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON form_bases
FOR EACH STATEMENT EXECUTE FUNCTION form_bases_never_change();

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
    content BYTEA NOT NULL,
    PRIMARY KEY (draft_id, n)
);
CREATE FUNCTION draft_versions_never_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'versions of a draft are never changed or deleted'; END $$;
CREATE TRIGGER draft_versions_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON draft_versions
FOR EACH STATEMENT EXECUTE FUNCTION draft_versions_never_change();

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
    content BYTEA NOT NULL,
    PRIMARY KEY (proposal_id, n)
);
CREATE FUNCTION proposal_versions_never_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'versions of a proposal are never changed or deleted'; END $$;
CREATE TRIGGER proposal_versions_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON proposal_versions
FOR EACH STATEMENT EXECUTE FUNCTION proposal_versions_never_change();

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
CREATE FUNCTION proposal_comments_never_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'comments are never changed or deleted'; END $$;
CREATE TRIGGER proposal_comments_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON proposal_comments
FOR EACH STATEMENT EXECUTE FUNCTION proposal_comments_never_change();
