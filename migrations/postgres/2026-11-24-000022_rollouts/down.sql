DROP TABLE rollout_events;
DROP FUNCTION rollout_events_never_change();
