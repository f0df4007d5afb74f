-- What a head of department says to a version of a proposal, as signed. One a head; an edit makes another version, and voids it.
CREATE TABLE consents (
    proposal_id TEXT NOT NULL,
    n INTEGER NOT NULL,
    head TEXT NOT NULL,
    answer TEXT NOT NULL,
    account_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    hash TEXT NOT NULL,
    signed_at TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    key_id TEXT NOT NULL,
    signature TEXT NOT NULL,
    PRIMARY KEY (proposal_id, n, head)
);
CREATE FUNCTION consents_never_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'consents are never changed or deleted'; END $$;
CREATE TRIGGER consents_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON consents
FOR EACH STATEMENT EXECUTE FUNCTION consents_never_change();

-- The heads without whose consent the vote could not be opened, as the rules were on that day.
ALTER TABLE proposals ADD COLUMN heads_required TEXT NOT NULL DEFAULT '[]';
