//! Receipts checked on the phone: the signature with nothing but the server's public keys, and every claim against what
//! was sent. Written from RFC 7515 and RFC 8037 rather than with the server's own code, so that it checks that too.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::model::Item;

/// The JWS type of a receipt.
const TYPE: &str = "nigran-receipt+jwt";

/// Why a receipt is no proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It is signed with a key the phone does not have; the keys may be newer.
    UnknownKey,
    /// It is not what the server should have signed, and why.
    NotGenuine(&'static str),
}

/// The hash the server names an envelope by: SHA-256 of its RFC 8785 form, in hex.
pub fn content_hash(envelope: &Value) -> Result<String, Doubt> {
    let canonical = serde_json_canonicalizer::to_vec(envelope);
    canonical
        .map(|bytes| hex::encode(Sha256::digest(bytes)))
        .map_err(|_| Doubt::NotGenuine("the envelope has no canonical form"))
}

/// The claims of a receipt, if `jwks` has the key it is signed with.
pub fn claims(receipt: &str, jwks: &Value) -> Result<Value, Doubt> {
    let mut parts = receipt.split('.');
    let (Some(head), Some(body), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Doubt::NotGenuine("it does not have three parts"));
    };
    let header = json(head)?;
    let is = |member: &str, wanted: &str| header.get(member).and_then(Value::as_str) == Some(wanted);
    if !is("alg", "EdDSA") || !is("typ", TYPE) || header.get("crit").is_some() {
        return Err(Doubt::NotGenuine("it is not a receipt"));
    }
    let kid = header.get("kid").and_then(Value::as_str).ok_or(Doubt::UnknownKey)?;
    let key = key(jwks, kid).ok_or(Doubt::UnknownKey)?;
    let signed = format!("{head}.{body}");
    UnparsedPublicKey::new(&ED25519, key)
        .verify(signed.as_bytes(), &bytes(signature)?)
        .map_err(|_| Doubt::NotGenuine("the signature is not the server's"))?;
    json(body)
}

/// Whether a receipt proves that the server has this item, as it is.
pub fn proves(item: &Item, receipt: &str, jwks: &Value) -> Result<(), Doubt> {
    let claims = claims(receipt, jwks)?;
    let is = |member: &str, wanted: Option<&str>| claims.get(member).and_then(Value::as_str) == wanted;
    if !is("sub", Some(&item.id.to_string())) {
        return Err(Doubt::NotGenuine("it is another submission's"));
    }
    if !is("content_hash", item.content_hash.as_deref()) {
        return Err(Doubt::NotGenuine("it is of other content"));
    }
    let in_quarantine = claims.get("revision").is_none_or(Value::is_null);
    if !in_quarantine && !names_the_files(item, &claims) {
        return Err(Doubt::NotGenuine("it names other files"));
    }
    Ok(())
}

fn names_the_files(item: &Item, claims: &Value) -> bool {
    let named = claims.get("media").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    named.len() == item.photos.len()
        && item.photos.iter().all(|photo| {
            named.iter().any(|pair| {
                pair.get(0).and_then(Value::as_str) == Some(&photo.name)
                    && pair.get(1).and_then(Value::as_str) == Some(&photo.sha256)
            })
        })
}

fn key(jwks: &Value, kid: &str) -> Option<Vec<u8>> {
    let text = |key: &Value, member: &str| key.get(member).and_then(Value::as_str).map(str::to_owned);
    let keys = jwks.get("keys")?.as_array()?;
    let key = keys.iter().find(|key| {
        text(key, "kid").as_deref() == Some(kid)
            && text(key, "kty").as_deref() == Some("OKP")
            && text(key, "crv").as_deref() == Some("Ed25519")
    })?;
    URL_SAFE_NO_PAD.decode(text(key, "x")?).ok()
}

fn json(part: &str) -> Result<Value, Doubt> {
    serde_json::from_slice(&bytes(part)?).map_err(|_| Doubt::NotGenuine("a part of it is no JSON"))
}

fn bytes(part: &str) -> Result<Vec<u8>, Doubt> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Doubt::NotGenuine("a part of it is no base64url"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The key and the signature of RFC 8037, appendix A.
    #[test]
    fn a_signature_of_another_sort_is_no_receipt() {
        let jwks = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "1",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }] });
        let jws = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
            hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

        assert_eq!(claims(jws, &jwks), Err(Doubt::NotGenuine("it is not a receipt")));
        assert_eq!(claims("a.b", &jwks), Err(Doubt::NotGenuine("it does not have three parts")));
        assert_eq!(claims("?.b.c", &jwks), Err(Doubt::NotGenuine("a part of it is no base64url")));
    }

    #[test]
    fn white_space_does_not_change_the_hash() {
        let one: Value = serde_json::from_str(r#"{"a":1.0,"b":[2]}"#).unwrap();
        let same: Value = serde_json::from_str("{ \"b\": [2], \"a\": 1 }").unwrap();

        assert_eq!(content_hash(&one), content_hash(&same));
    }
}
