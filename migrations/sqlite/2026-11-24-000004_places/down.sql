DROP TABLE boundary_areas;
DROP TABLE boundary_sets;
