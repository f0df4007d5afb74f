-- What is due of some kinds, however many of other kinds are due before it.
CREATE INDEX jobs_by_kind ON jobs (kind, due_at, id) WHERE state <> 'parked';
