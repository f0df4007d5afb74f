DROP TABLE break_glass;
DROP TABLE minutes;
DROP TABLE votes;
DROP TABLE committee_keys;
DROP TABLE committee_members;
DROP FUNCTION minutes_never_change();
DROP FUNCTION votes_never_change();
