ALTER TABLE notice_settings DROP COLUMN letter_at;
ALTER TABLE notice_settings DROP COLUMN confirm_tries;
ALTER TABLE notice_settings DROP COLUMN confirm_until;
ALTER TABLE notice_settings DROP COLUMN confirm_nonce;
ALTER TABLE notice_settings DROP COLUMN confirmed_at;
ALTER TABLE webhooks DROP COLUMN previous_until;
ALTER TABLE webhooks DROP COLUMN previous_secret;
