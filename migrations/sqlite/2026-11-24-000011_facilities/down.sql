DROP TABLE facility_series;
DROP TABLE facility_trigrams;
DROP TABLE facility_words;
DROP TABLE facility_visits;
DROP TABLE facility_links;
DROP TABLE facility_registrations;
DROP TABLE facility_events;
DROP TABLE facilities;
