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
