-- The register of workplaces and residential facilities. A facility is a head that moves over events that never change.
-- facts holds what is known of the place, whole; the other columns are what lists, searches and areas need of it.
-- merged_directly is the facility this one was merged into; merged_into the one at the end of that chain.
-- cell and zone number squares of 0.05 and 0.5 degrees, by which the neighbourhood of a point is found.
CREATE TABLE facilities (
    id TEXT PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    line TEXT NOT NULL,
    status TEXT NOT NULL,
    name_en TEXT,
    name_ur TEXT,
    facts TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    revision INTEGER NOT NULL,
    touched INTEGER NOT NULL,
    merged_into TEXT,
    merged_directly TEXT,
    status_before TEXT,
    lat DOUBLE,
    lon DOUBLE,
    accuracy_m DOUBLE,
    cell INTEGER,
    zone INTEGER,
    province TEXT,
    division TEXT,
    district TEXT,
    tehsil TEXT,
    edition TEXT,
    capacity INTEGER,
    risk TEXT,
    last_visited_at BIGINT,
    visit_count INTEGER NOT NULL,
    registered_by TEXT,
    registered_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE INDEX facilities_by_district ON facilities (district, code);
CREATE INDEX facilities_by_kind ON facilities (kind, code);
CREATE INDEX facilities_by_status ON facilities (status, code);
CREATE INDEX facilities_by_cell ON facilities (cell, lat, lon);
CREATE INDEX facilities_by_zone ON facilities (zone, lat, lon);
CREATE INDEX facilities_by_survivor ON facilities (merged_into);
CREATE INDEX facilities_by_registrant ON facilities (registered_by, code);

CREATE TABLE facility_events (
    facility_id TEXT NOT NULL,
    n INTEGER NOT NULL,
    at BIGINT NOT NULL,
    account_id TEXT,
    device_id TEXT,
    action TEXT NOT NULL,
    revision INTEGER NOT NULL,
    content_hash TEXT,
    facts TEXT,
    other TEXT,
    reason TEXT,
    PRIMARY KEY (facility_id, n)
);
CREATE TRIGGER facility_events_never_change BEFORE UPDATE ON facility_events
BEGIN SELECT RAISE(ABORT, 'facility_events are never changed'); END;
CREATE TRIGGER facility_events_never_go BEFORE DELETE ON facility_events
BEGIN SELECT RAISE(ABORT, 'facility_events are never deleted'); END;

-- Dates are inclusive; no valid_from: since ever, no valid_to: no end known.
CREATE TABLE facility_registrations (
    facility_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    body TEXT NOT NULL,
    number TEXT,
    valid_from TEXT,
    valid_to TEXT,
    PRIMARY KEY (facility_id, position)
);

-- same_owner, contractor, kiln_chain; distinct: somebody looked and says these are two places.
CREATE TABLE facility_links (
    facility_id TEXT NOT NULL,
    other_id TEXT NOT NULL,
    relation TEXT NOT NULL,
    PRIMARY KEY (facility_id, other_id, relation)
);
CREATE INDEX facility_links_by_other ON facility_links (other_id);

-- Under the facility that was named; what was merged is counted with its survivor.
CREATE TABLE facility_visits (
    submission_id TEXT PRIMARY KEY,
    facility_id TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX facility_visits_by_facility ON facility_visits (facility_id, at);

-- The search index: the words of each facility's names (a word that begins with ~ is how one sounds), and every word by
-- the trigrams it is made of, for words that are misspelt.
CREATE TABLE facility_words (
    word TEXT NOT NULL,
    facility_id TEXT NOT NULL,
    PRIMARY KEY (word, facility_id)
) WITHOUT ROWID;
CREATE INDEX facility_words_by_facility ON facility_words (facility_id);

CREATE TABLE facility_trigrams (
    trigram TEXT NOT NULL,
    word TEXT NOT NULL,
    PRIMARY KEY (trigram, word)
) WITHOUT ROWID;

-- The last number given out in each series of codes: PK226-K.
CREATE TABLE facility_series (
    series TEXT PRIMARY KEY,
    last BIGINT NOT NULL
);
