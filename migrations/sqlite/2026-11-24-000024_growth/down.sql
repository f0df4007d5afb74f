DROP INDEX submissions_by_time;
CREATE INDEX submissions_by_time ON submissions (received_at, id);
DROP INDEX submissions_by_district;
CREATE INDEX submissions_by_district ON submissions (district, received_at, id);
DROP INDEX submissions_by_filer;
CREATE INDEX submissions_by_filer ON submissions (account_id, received_at, id);
DROP INDEX submissions_waiting_by_district;
CREATE INDEX submissions_waiting_by_district ON submissions (district, form, queue_rank, received_at, id)
    WHERE review = 'received';
DROP INDEX submissions_waiting_by_division;
CREATE INDEX submissions_waiting_by_division ON submissions (division, form, queue_rank, received_at, id)
    WHERE review = 'received';
DROP INDEX submissions_waiting_by_province;
CREATE INDEX submissions_waiting_by_province ON submissions (province, form, queue_rank, received_at, id)
    WHERE review = 'received';
DROP INDEX finding_cases_due;
DROP TABLE commit_marks;
