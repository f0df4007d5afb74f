//! Members' own signatures: Ed25519 over RFC 8785 JSON. The private half stays with the member; what is kept here is the public
//! one, and it is enough to check a vote years later, offline.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Lower-case hex SHA-256 of the RFC 8785 form of `value`.
pub(super) fn hash(value: &impl Serialize) -> Result<String> {
    Ok(hex::encode(Sha256::digest(canonical(value)?)))
}

/// The RFC 8785 form of `value`: what is hashed and signed.
pub(super) fn canonical(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json_canonicalizer::to_vec(value).map_err(|cause| Error::internal("writing canonical JSON", cause))
}

/// A public key: 32 bytes, written as base64url without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PublicKey([u8; 32]);

impl PublicKey {
    /// Reads a key as it is written in a JWK's `x`.
    pub(super) fn read(text: &str) -> Result<PublicKey> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        bytes.map(PublicKey).ok_or_else(|| {
            Error::invalid(
                "key_unreadable",
                "`public_key` takes the 32 bytes of an Ed25519 public key in base64url without padding",
            )
        })
    }

    /// The key as it is written.
    pub(super) fn written(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// RFC 7638: the name of the key.
    pub(super) fn thumbprint(&self) -> String {
        let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, self.written());
        URL_SAFE_NO_PAD.encode(Sha256::digest(members))
    }

    /// Whether `signature` (base64url) is this key's over `statement`.
    pub(super) fn has_signed(&self, statement: &impl Serialize, signature: &str) -> Result<bool> {
        let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return Ok(false) };
        let message = canonical(statement)?;
        Ok(UnparsedPublicKey::new(&ED25519, self.0).verify(&message, &signature).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{Ed25519KeyPair, KeyPair};
    use serde_json::json;

    #[test]
    fn a_signature_is_for_one_statement_and_one_key() {
        let pair = |seed: u8| Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let key = |pair: &Ed25519KeyPair| PublicKey(pair.public_key().as_ref().try_into().unwrap());
        let statement = json!({ "vote": "approve", "hash": "9f" });
        let (mine, other) = (pair(1), pair(2));
        let signature = URL_SAFE_NO_PAD.encode(mine.sign(br#"{"hash":"9f","vote":"approve"}"#));

        assert!(key(&mine).has_signed(&statement, &signature).unwrap());
        assert!(!key(&other).has_signed(&statement, &signature).unwrap());
        assert!(!key(&mine).has_signed(&json!({ "vote": "reject", "hash": "9f" }), &signature).unwrap());
        assert!(!key(&mine).has_signed(&statement, "no signature").unwrap());
        assert_eq!(PublicKey::read(&key(&mine).written()).unwrap(), key(&mine));
        assert_eq!(PublicKey::read("short").unwrap_err().code, "key_unreadable");
    }

    /// The example of RFC 8037, appendix A.3.
    #[test]
    fn keys_are_named_as_rfc_7638_has_it() {
        let key = PublicKey::read("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();

        assert_eq!(key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
