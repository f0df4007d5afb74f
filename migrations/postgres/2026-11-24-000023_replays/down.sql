DROP TABLE replay_parts;
DROP TABLE replays;
