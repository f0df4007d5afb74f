-- Lists of what is still to be put right, and the planner, look at that alone, however much was finished before. The
-- queries write these conditions out: a partial index is of use only to a query that plainly asks for its rows.
CREATE INDEX finding_cases_unfinished ON finding_cases (due_at, id, kind, province, division, district)
    WHERE state IN ('open', 'acknowledged', 'referred', 'remedied');
CREATE INDEX finding_cases_running_in ON finding_cases (district)
    WHERE state IN ('open', 'acknowledged', 'referred');
