-- Versioned boundary sets and their areas. A set that changed is a new set: rows are only added or withdrawn.
CREATE TABLE boundary_sets (
    id TEXT PRIMARY KEY,
    set_id TEXT NOT NULL,
    level INTEGER NOT NULL,
    vintage TEXT NOT NULL,
    valid_from TEXT,
    valid_to TEXT,
    licence TEXT NOT NULL,
    attribution TEXT NOT NULL,
    sha256 TEXT NOT NULL UNIQUE,
    line_uncertainty_m DOUBLE NOT NULL,
    imported_at BIGINT NOT NULL,
    area_count INTEGER NOT NULL
);

CREATE TABLE boundary_areas (
    boundary_set_id TEXT NOT NULL REFERENCES boundary_sets (id),
    code TEXT NOT NULL,
    name_en TEXT NOT NULL,
    name_ur TEXT,
    parent TEXT,
    properties TEXT NOT NULL,
    geometry BLOB NOT NULL,
    PRIMARY KEY (boundary_set_id, code)
);
