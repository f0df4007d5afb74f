DROP TABLE assignment_events;
DROP TABLE assignments;
DROP FUNCTION assignment_events_never_change;
DROP FUNCTION assignments_never_go;
