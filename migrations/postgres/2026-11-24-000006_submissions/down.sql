DROP TABLE quarantine;
DROP TABLE findings;
DROP TABLE place_tags;
DROP TABLE revisions;
DROP TABLE submissions;
DROP FUNCTION revisions_never_change();
