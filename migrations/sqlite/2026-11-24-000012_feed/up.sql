-- What changed that somebody's phone holds, and for whom. Swept after two months.
-- xid tells whether a reader has seen the change: there is one writer, so the order of rows is the order of commits.
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    xid BIGINT GENERATED ALWAYS AS (seq) VIRTUAL,
    at BIGINT NOT NULL,
    what TEXT NOT NULL,
    subject TEXT NOT NULL,
    audience TEXT NOT NULL
);
CREATE INDEX changes_by_audience ON changes (audience, xid);
CREATE INDEX changes_by_xid ON changes (xid);

-- A new epoch begins when what readers remember of this feed is no longer so: after a restore.
CREATE TABLE feed_epochs (
    epoch BIGINT PRIMARY KEY
);
INSERT INTO feed_epochs (epoch) VALUES (0);
