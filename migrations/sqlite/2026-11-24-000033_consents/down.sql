ALTER TABLE proposals DROP COLUMN heads_required;
DROP TABLE consents;
