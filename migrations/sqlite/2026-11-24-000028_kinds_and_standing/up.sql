-- A kind of place in one standing, in the order of codes.
CREATE INDEX facilities_by_kind_and_status ON facilities (kind, status, code);
