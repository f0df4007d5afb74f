//! Secrets at rest. A webhook's secret must be read again to sign with, so it cannot be a hash; it is sealed with a key
//! derived from the signing keys, which lie beside the database and not in it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::model::WebhookId;
use crate::error::{Error, Result};

/// Seals and opens secrets.
pub(in crate::notifications) struct Sealer(Vec<LessSafeKey>);

impl Sealer {
    /// Seals with the first key; what was sealed with the others is still opened.
    pub(in crate::notifications) fn new(keys: &[[u8; 32]]) -> Sealer {
        let key = |key: &[u8; 32]| UnboundKey::new(&AES_256_GCM, key).ok().map(LessSafeKey::new);
        Sealer(keys.iter().filter_map(key).collect())
    }

    /// The secret of a webhook as it is stored.
    pub(super) fn close(&self, secret: &str, of: &WebhookId) -> Result<String> {
        let failed = |_| Error::internal("sealing a secret", "the key cannot be used");
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(failed)?;
        let key = self.0.first().ok_or_else(|| Error::internal("sealing a secret", "there is no key"))?;
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
        self.0.iter().find_map(|key| {
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
