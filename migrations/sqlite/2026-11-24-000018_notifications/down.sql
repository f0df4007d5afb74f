DROP INDEX jobs_by_subject;
DROP TABLE webhooks;
DROP TABLE notice_settings;
DROP TABLE deliveries;
DROP TABLE notices;
