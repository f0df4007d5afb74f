DROP INDEX finding_cases_running_in;
DROP INDEX finding_cases_unfinished;
