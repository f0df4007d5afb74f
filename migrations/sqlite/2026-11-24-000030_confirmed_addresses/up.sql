-- A webhook's secret before the last: it signs beside the new one until an instant.
ALTER TABLE webhooks ADD COLUMN previous_secret TEXT;
ALTER TABLE webhooks ADD COLUMN previous_until BIGINT;

-- Whether an address is known to be read by whom it is said to belong to. confirm_nonce: what the code in the last letter was made from;
-- confirm_until: how long that code holds; confirm_tries: wrong codes so far; letter_at: when the last such letter was asked for.
ALTER TABLE notice_settings ADD COLUMN confirmed_at BIGINT;
ALTER TABLE notice_settings ADD COLUMN confirm_nonce TEXT;
ALTER TABLE notice_settings ADD COLUMN confirm_until BIGINT;
ALTER TABLE notice_settings ADD COLUMN confirm_tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE notice_settings ADD COLUMN letter_at BIGINT;

-- Addresses that letters went to before count as confirmed.
UPDATE notice_settings SET confirmed_at = changed_at WHERE email IS NOT NULL;
