DROP TABLE proposal_comments;
DROP TABLE proposal_versions;
DROP TABLE proposals;
DROP TABLE draft_versions;
DROP TABLE drafts;
DROP TABLE form_bases;
