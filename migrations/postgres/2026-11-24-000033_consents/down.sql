ALTER TABLE proposals DROP COLUMN heads_required;
DROP TABLE consents;
DROP FUNCTION consents_never_change();
