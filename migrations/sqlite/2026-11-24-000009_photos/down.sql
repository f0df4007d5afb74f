DROP INDEX submissions_by_visit;
DROP TABLE late_flags;
DROP TABLE photos;
