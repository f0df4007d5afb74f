-- Who sits on the Committee, as what, from when until when. until_at and ended_because are the only things that ever change.
CREATE TABLE committee_members (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL,
    role TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    until_at BIGINT,
    basis TEXT NOT NULL,
    appointed_at BIGINT NOT NULL,
    appointed_by TEXT,
    ended_because TEXT
);
CREATE INDEX committee_members_by_account ON committee_members (account_id);

-- Members' public keys. The private half never comes here.
CREATE TABLE committee_keys (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL,
    public_key TEXT NOT NULL,
    state TEXT NOT NULL,
    registered_at BIGINT NOT NULL,
    confirmed_by TEXT,
    settled_at BIGINT
);
CREATE INDEX committee_keys_by_account ON committee_keys (account_id);

-- Votes, each as its member signed it. One a member for each version of a proposal; the chair's casting vote is one more.
CREATE TABLE votes (
    proposal_id TEXT NOT NULL,
    n INTEGER NOT NULL,
    account_id TEXT NOT NULL,
    casting BOOLEAN NOT NULL,
    vote TEXT NOT NULL,
    reason TEXT NOT NULL,
    dissent TEXT,
    hash TEXT NOT NULL,
    signed_at TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    key_id TEXT NOT NULL,
    signature TEXT NOT NULL,
    PRIMARY KEY (proposal_id, n, account_id, casting)
);
CREATE FUNCTION votes_never_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'votes are never changed or deleted'; END $$;
CREATE TRIGGER votes_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON votes
FOR EACH STATEMENT EXECUTE FUNCTION votes_never_change();

-- What was decided, as signed.
CREATE TABLE minutes (
    hash TEXT PRIMARY KEY,
    proposal_id TEXT NOT NULL,
    n INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    document BYTEA NOT NULL
);
CREATE INDEX minutes_by_proposal ON minutes (proposal_id, at);
CREATE FUNCTION minutes_never_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'minutes are never changed or deleted'; END $$;
CREATE TRIGGER minutes_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON minutes
FOR EACH STATEMENT EXECUTE FUNCTION minutes_never_change();

-- Publishing without a vote: asked for by one, agreed to by another.
CREATE TABLE break_glass (
    id TEXT PRIMARY KEY,
    proposal_id TEXT NOT NULL,
    n INTEGER NOT NULL,
    hash TEXT NOT NULL,
    reason TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    settled_by TEXT,
    settled_at BIGINT,
    signature TEXT,
    key_id TEXT
);
CREATE INDEX break_glass_by_proposal ON break_glass (proposal_id);
