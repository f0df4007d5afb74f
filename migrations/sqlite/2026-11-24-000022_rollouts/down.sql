DROP TABLE rollout_events;
