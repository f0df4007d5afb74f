DROP INDEX finding_cases_due;
DROP TABLE commit_marks;
