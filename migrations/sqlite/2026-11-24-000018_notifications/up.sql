-- Something people and programs are told of: of what kind, where it stands, since when; never what was found about whom.
-- event: what it must not be told twice for. n: the how-many-th notice about its subject.
CREATE TABLE notices (
    id TEXT PRIMARY KEY,
    event TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    n INTEGER NOT NULL,
    code TEXT NOT NULL,
    link TEXT NOT NULL,
    unit TEXT,
    urgent BOOLEAN NOT NULL,
    line TEXT,
    province TEXT,
    division TEXT,
    district TEXT,
    occurred_at BIGINT NOT NULL,
    noted_at BIGINT NOT NULL,
    people INTEGER NOT NULL,
    UNIQUE (subject, n)
);
CREATE INDEX notices_by_time ON notices (occurred_at, id);

-- The outbox: one notice to one recipient by one channel. bundle: what leaves together, a letter or a digest.
-- since: when it was first tried; done_at: when it was sent, given up or dropped.
CREATE TABLE deliveries (
    id TEXT PRIMARY KEY,
    notice_id TEXT NOT NULL REFERENCES notices (id),
    channel TEXT NOT NULL,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    n INTEGER NOT NULL,
    bundle TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    due_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    since BIGINT,
    done_at BIGINT,
    last_error TEXT,
    UNIQUE (notice_id, channel, recipient)
);
CREATE INDEX deliveries_by_bundle ON deliveries (bundle, state);
CREATE INDEX deliveries_by_recipient ON deliveries (recipient, state, subject, n);
CREATE INDEX deliveries_by_state ON deliveries (state, channel, created_at);

-- How somebody wants to be told. No row: no address, and so no letters.
CREATE TABLE notice_settings (
    account_id TEXT PRIMARY KEY REFERENCES accounts (id),
    email TEXT,
    rhythm TEXT NOT NULL,
    hour INTEGER NOT NULL,
    language TEXT NOT NULL,
    changed_at BIGINT NOT NULL
);

-- Programs that are told. secret: sealed with a key that is not in the database.
-- resume_at: nothing is sent before; failing_since: nothing came through from then on.
CREATE TABLE webhooks (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    kinds TEXT NOT NULL,
    areas TEXT NOT NULL,
    line TEXT,
    enabled BOOLEAN NOT NULL,
    disabled_because TEXT,
    secret TEXT NOT NULL,
    made_by TEXT,
    made_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    failures INTEGER NOT NULL,
    failing_since BIGINT,
    resume_at BIGINT
);

-- Jobs of a kind about one subject, in order.
CREATE INDEX jobs_by_subject ON jobs (kind, subject, created_at);
