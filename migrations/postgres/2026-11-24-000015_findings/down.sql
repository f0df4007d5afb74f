DROP TABLE referrals;
DROP TABLE finding_events;
DROP TABLE finding_cases;
DROP FUNCTION finding_events_never_change();
DROP FUNCTION findings_never_go();
