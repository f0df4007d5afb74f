//! Secrets at rest. A webhook's secret must be read again to sign with, so it cannot be a hash; it is sealed with a key
//! derived from the signing keys, which lie beside the database and not in it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};

use super::model::WebhookId;
use crate::error::{Error, Result};

/// Seals and opens secrets.
pub(in crate::notifications) struct Sealer {
    keys: Vec<LessSafeKey>,
    /// The same keys, for codes in letters.
    codes: Vec<hmac::Key>,
}

/// Signs a code is written in: none that is taken for another.
const SIGNS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// How many signs a code has.
const CODE: usize = 8;

impl Sealer {
    /// Seals with the first key; what was sealed with the others is still opened.
    pub(in crate::notifications) fn new(keys: &[[u8; 32]]) -> Sealer {
        let key = |key: &[u8; 32]| UnboundKey::new(&AES_256_GCM, key).ok().map(LessSafeKey::new);
        let code = |key: &[u8; 32]| hmac::Key::new(hmac::HMAC_SHA256, &[b"address".as_slice(), key].concat());
        Sealer { keys: keys.iter().filter_map(key).collect(), codes: keys.iter().map(code).collect() }
    }

    /// The code by which somebody shows that they read what comes to an address: one for each key, the one in use first.
    pub(in crate::notifications) fn codes(&self, account: &str, address: &str, nonce: &str) -> Vec<String> {
        let message = [account, address, nonce].join("\0");
        let code = |key: &hmac::Key| {
            let tag = hmac::sign(key, message.as_bytes());
            let signs = tag.as_ref().iter().take(CODE);
            signs.map(|byte| char::from(SIGNS[usize::from(byte % 32)])).collect()
        };
        self.codes.iter().map(code).collect()
    }

    /// The secret of a webhook as it is stored.
    pub(super) fn close(&self, secret: &str, of: &WebhookId) -> Result<String> {
        let failed = |_| Error::internal("sealing a secret", "the key cannot be used");
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(failed)?;
        let key = self.keys.first().ok_or_else(|| Error::internal("sealing a secret", "there is no key"))?;
        let mut sealed = secret.as_bytes().to_vec();
        let whose = Aad::from(of.as_str().as_bytes());
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), whose, &mut sealed)
            .map_err(failed)?;
        Ok(STANDARD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// The secret; none: it was sealed with a key this server does not have.
    pub(super) fn open(&self, sealed: &str, of: &WebhookId) -> Option<String> {
        let bytes = STANDARD.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        self.keys.iter().find_map(|key| {
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let mut bytes = sealed.to_vec();
            let opened = key.open_in_place(nonce, Aad::from(of.as_str().as_bytes()), &mut bytes).ok()?;
            String::from_utf8(opened.to_vec()).ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_of_one_person_one_address_and_one_letter() {
        let sealer = Sealer::new(&[[7; 32], [8; 32]]);
        let codes = sealer.codes("a", "a@example.org", "1");

        assert!(codes.len() == 2 && codes.iter().all(|code| code.len() == CODE), "{codes:?}");
        assert_eq!(Sealer::new(&[[7; 32]]).codes("a", "a@example.org", "1"), codes[..1]);
        for (account, address, nonce) in
            [("b", "a@example.org", "1"), ("a", "b@example.org", "1"), ("a", "a@example.org", "2")]
        {
            assert_ne!(sealer.codes(account, address, nonce), codes);
        }
    }

    #[test]
    fn a_sealed_secret_is_opened_for_its_webhook_with_any_key_there_was() {
        let (mine, other) =
            (WebhookId::from(uuid::Uuid::from_u128(1)), WebhookId::from(uuid::Uuid::from_u128(2)));
        let sealed = Sealer::new(&[[7; 32]]).close("whsec_x", &mine).unwrap();

        assert!(!sealed.contains("whsec"));
        assert_eq!(Sealer::new(&[[8; 32], [7; 32]]).open(&sealed, &mine).as_deref(), Some("whsec_x"));
        assert_eq!(Sealer::new(&[[7; 32]]).open(&sealed, &other), None);
        assert_eq!(Sealer::new(&[[8; 32]]).open(&sealed, &mine), None);
        assert_eq!(Sealer::new(&[[7; 32]]).open("AAAA", &mine), None);
    }
}
