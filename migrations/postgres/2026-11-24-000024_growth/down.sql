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
DROP INDEX submissions_invalid;
DROP INDEX submissions_sent_back;
ALTER TABLE revisions ALTER COLUMN content SET STORAGE EXTENDED;
ALTER TABLE submissions ADD CONSTRAINT submissions_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts (id);
DROP TRIGGER audit_events_queue ON audit_events;
CREATE OR REPLACE FUNCTION audit_events_queue() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO audit_unsealed (seq) VALUES (NEW.seq); RETURN NULL; END $$;
CREATE TRIGGER audit_events_queue AFTER INSERT ON audit_events
FOR EACH ROW EXECUTE FUNCTION audit_events_queue();
DROP TABLE commit_marks;
