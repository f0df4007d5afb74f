DROP TABLE review_events;
DROP INDEX submissions_by_facility;
DROP INDEX submissions_waiting_by_province;
DROP INDEX submissions_waiting_by_division;
DROP INDEX submissions_waiting_by_district;
ALTER TABLE submissions DROP COLUMN queue_rank;
