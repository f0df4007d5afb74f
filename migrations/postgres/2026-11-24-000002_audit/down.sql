DROP TABLE audit_seals;
DROP TABLE audit_unsealed;
DROP TABLE audit_events;
DROP FUNCTION audit_events_queue();
DROP FUNCTION audit_events_never_change();
DROP FUNCTION audit_seals_never_change();
