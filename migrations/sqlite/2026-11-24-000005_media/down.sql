DROP TABLE submission_media;
DROP TABLE media_objects;
