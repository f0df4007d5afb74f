DROP TABLE break_glass;
DROP TABLE minutes;
DROP TABLE votes;
DROP TABLE committee_keys;
DROP TABLE committee_members;
