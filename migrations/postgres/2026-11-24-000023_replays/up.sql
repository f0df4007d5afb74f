-- A proposed release tried on past submissions. The row says what is asked and how far it has come; each stretch of submissions that is
-- done leaves its counts in replay_parts, so that whoever goes on after a crash begins behind the last of them. The report is written once.
CREATE TABLE replays (
    id TEXT PRIMARY KEY,
    form TEXT NOT NULL,
    package_hash TEXT NOT NULL,
    asked TEXT NOT NULL,
    package BYTEA NOT NULL,
    asked_by TEXT,
    asked_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    total BIGINT NOT NULL,
    done BIGINT NOT NULL,
    last_id TEXT NOT NULL,
    bound TEXT,
    ended_at BIGINT,
    report BYTEA,
    report_hash TEXT,
    problem TEXT
);
CREATE INDEX replays_by_package ON replays (package_hash, id);
CREATE TABLE replay_parts (
    replay_id TEXT NOT NULL,
    n INTEGER NOT NULL,
    tally BYTEA NOT NULL,
    PRIMARY KEY (replay_id, n)
);
