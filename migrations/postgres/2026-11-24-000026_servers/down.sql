DROP TABLE signing_keys;
DROP TABLE login_buckets;
DROP TABLE pulse;
