DROP TABLE referrals;
DROP TABLE finding_events;
DROP TABLE finding_cases;
