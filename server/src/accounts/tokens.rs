//! Signed statements: access tokens, and whatever else another room wants to be able to prove (receipts).
//! Compact JWS with EdDSA over Ed25519 and nothing else; `typ` keeps one sort of statement from passing for another.
//! Time is the injected clock's: the library's own check of `exp` is off, ours has no leeway.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, new_error};
use jsonwebtoken::signature::{Error as SignatureError, Signer, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::cache::Bounded;
use super::keys::{self, KeyFile};
use super::model::{AccountId, SessionId};
use crate::clock::Clock;
use crate::error::{Error, Result};

/// How long an access token is good, in seconds.
pub const ACCESS_SECONDS: i64 = 15 * 60;

const ISSUER: &str = "nigran";
const AUDIENCE: &str = "nigran-api";
const ACCESS_TYP: &str = "at+jwt";
/// Tokens remembered as verified: as many phones as are likely to be awake within one token's life.
const REMEMBERED: usize = 10_000;

/// What an access token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Always `nigran`.
    pub iss: String,
    /// Always `nigran-api`.
    pub aud: String,
    /// The account.
    pub sub: AccountId,
    /// The session.
    pub sid: SessionId,
    /// The device, when the login named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dev: Option<String>,
    /// Issued at, seconds since 1970.
    pub iat: i64,
    /// Good until (not including), seconds since 1970.
    pub exp: i64,
}

/// Signs and verifies. Clones share keys and memory.
#[derive(Clone)]
pub struct Tokens {
    keys: Arc<Keys>,
    later: Arc<RwLock<Later>>,
    folder: Arc<Path>,
    verified: Arc<RwLock<Bounded<[u8; 32], Arc<Claims>>>>,
    clock: Clock,
}

struct Keys {
    signing: EncodingKey,
    signing_kid: String,
    verifying: HashMap<String, DecodingKey>,
    jwks: Arc<Value>,
    /// A secret derived from each key, that of the signing one first.
    secrets: Vec<[u8; 32]>,
}

/// How often the folder is read again for a key that is not known, whoever asks for it.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Keys that were put into the folder after the start: they verify. They sign from the next start on.
struct Later {
    verifying: HashMap<String, DecodingKey>,
    jwks: Option<Arc<Value>>,
    looked: Instant,
}

impl Tokens {
    /// Reads the keys in `folder` (see `keys.rs` for the files), or makes the first one.
    pub fn open(folder: &Path, clock: Clock) -> Result<Tokens> {
        // An error means that it is installed already, which is as good.
        let _ = RING.install_default();
        let files = keys::load_or_create(folder, clock.now())?;
        let newest =
            files.last().ok_or_else(|| Error::internal("reading the signing keys", "there is none"))?;
        let keys = Keys {
            signing: EncodingKey::from_ed_der(&newest.pkcs8),
            signing_kid: newest.kid.clone(),
            verifying: verifying(&files),
            jwks: Arc::new(jwks(&files)),
            secrets: files.iter().rev().map(secret).collect(),
        };
        let later = Later { verifying: HashMap::new(), jwks: None, looked: Instant::now() };
        Ok(Tokens {
            keys: Arc::new(keys),
            later: Arc::new(RwLock::new(later)),
            folder: Arc::from(folder),
            verified: Arc::new(RwLock::new(Bounded::new(REMEMBERED))),
            clock,
        })
    }

    /// The public keys, the latest first, as RFC 7517 spells them.
    pub fn jwks(&self) -> Arc<Value> {
        let later = self.later.read().ok().and_then(|later| later.jwks.clone());
        later.unwrap_or_else(|| self.keys.jwks.clone())
    }

    /// The ids of the keys this process started with.
    pub fn key_ids(&self) -> Vec<String> {
        self.keys.verifying.keys().cloned().collect()
    }

    /// The key with this id. One that is not known may have been put into the folder meanwhile, and another server of this
    /// installation, started since, may sign with it already.
    fn key(&self, kid: &str) -> Option<DecodingKey> {
        if let Some(key) = self.keys.verifying.get(kid) {
            return Some(key.clone());
        }
        if let Some(key) = self.later.read().ok()?.verifying.get(kid) {
            return Some(key.clone());
        }
        let mut later = self.later.write().ok()?;
        if later.looked.elapsed() >= LOOK_EVERY {
            later.looked = Instant::now();
            match keys::load(&self.folder) {
                Ok(files) => {
                    later.verifying = verifying(&files);
                    later.jwks = Some(Arc::new(jwks(&files)));
                }
                Err(error) => tracing::warn!(%error, "the signing keys cannot be read again"),
            }
        }
        later.verifying.get(kid).cloned()
    }

    /// Secrets for `purpose` that every process with the same keys has, that of the signing key first: for what only
    /// we read again.
    pub fn secrets(&self, purpose: &str) -> Vec<[u8; 32]> {
        let of =
            |secret: &[u8; 32]| Sha256::new().chain_update(secret).chain_update(purpose).finalize().into();
        self.keys.secrets.iter().map(of).collect()
    }

    /// Signs `payload` as a statement of the sort `typ`.
    pub fn sign(&self, payload: &impl Serialize, typ: &str) -> Result<String> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(typ.to_owned());
        header.kid = Some(self.keys.signing_kid.clone());
        encode(&header, payload, &self.keys.signing).map_err(|cause| Error::internal("signing", cause))
    }

    /// Verifies a statement of the sort `typ` signed with one of our keys. Looks at no time.
    pub fn verify<T: DeserializeOwned>(&self, jws: &str, typ: &str) -> Result<T> {
        opened(jws, typ, &without_claims(), |kid| self.key(kid))
    }

    /// An access token for a session, good from now on.
    pub(super) fn issue(
        &self,
        account: &AccountId,
        session: &SessionId,
        device: Option<&str>,
    ) -> Result<String> {
        let iat = self.clock.now().timestamp();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: account.clone(),
            sid: session.clone(),
            dev: device.map(str::to_owned),
            iat,
            exp: iat + ACCESS_SECONDS,
        };
        self.sign(&claims, ACCESS_TYP)
    }

    /// The claims of an access token that is ours and still good. A token seen before costs a hash and a look-up.
    pub(super) fn verify_access(&self, token: &str) -> Result<Arc<Claims>> {
        let now = self.clock.now().timestamp();
        let key: [u8; 32] = Sha256::digest(token).into();
        let remembered = self.verified.read().ok().and_then(|verified| verified.get(&key).cloned());
        let claims = match &remembered {
            Some(claims) => claims.clone(),
            None => {
                let kept = |kid: &str| self.key(kid);
                Arc::new(
                    opened::<Claims>(token, ACCESS_TYP, &for_access(), kept).map_err(|_| token_invalid())?,
                )
            }
        };
        if claims.exp <= now {
            return Err(Error::unauthenticated("token_expired", "the access token has run out; refresh it"));
        }
        if remembered.is_none()
            && let Ok(mut verified) = self.verified.write()
        {
            verified.insert(key, claims.clone(), |old| old.exp <= now);
        }
        Ok(claims)
    }
}

/// A statement as it is kept beside its payload: `.key.signature`. All else can be written anew. One that could not be
/// is kept whole.
pub fn shortened(jws: &str, payload: &impl Serialize, typ: &str) -> String {
    let signature = jws.rsplit_once('.').map(|(_, signature)| signature);
    let kid = decode_header(jws).ok().and_then(|header| header.kid);
    let short = kid.zip(signature).map(|(kid, signature)| format!(".{kid}.{signature}"));
    let gives_it_back = |short: &String| whole(short, payload, typ).is_ok_and(|whole| whole == jws);
    short.filter(gives_it_back).unwrap_or_else(|| jws.to_owned())
}

/// The statement that [`shortened`] made short, to the byte. What it was made of must be the same.
pub fn whole(kept: &str, payload: &impl Serialize, typ: &str) -> Result<String> {
    let Some((kid, signature)) = kept.strip_prefix('.').and_then(|rest| rest.rsplit_once('.')) else {
        return Ok(kept.to_owned());
    };
    let header = format!(r#"{{"typ":"{typ}","alg":"EdDSA","kid":"{kid}"}}"#);
    let payload =
        serde_json::to_vec(payload).map_err(|cause| Error::internal("writing a signed statement", cause))?;
    Ok(format!("{}.{}.{signature}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload)))
}

/// Verifies a statement of the sort `typ` with nothing but a JWKS document: offline, and without a clock.
pub fn verify_with_jwks(jws: &str, jwks: &Value, typ: &str) -> Result<Value> {
    let _ = RING.install_default();
    opened(jws, typ, &without_claims(), |kid| {
        let keys = jwks.get("keys")?.as_array()?;
        let key = keys.iter().find(|key| key.get("kid").and_then(Value::as_str) == Some(kid))?;
        let is = |member: &str, value: &str| key.get(member).and_then(Value::as_str) == Some(value);
        let x = key.get("x").and_then(Value::as_str).filter(|_| is("kty", "OKP") && is("crv", "Ed25519"))?;
        DecodingKey::from_ed_components(x).ok()
    })
}

/// The payload of `jws`, when header and signature are as they must be: EdDSA, a key we know, the right `typ`, and no
/// extension marked critical, for we understand none.
fn opened<T: DeserializeOwned>(
    jws: &str,
    typ: &str,
    validation: &Validation,
    key: impl Fn(&str) -> Option<DecodingKey>,
) -> Result<T> {
    let bad =
        |why: &str| Error::invalid("signature_invalid", format!("the signed statement is not good: {why}"));
    let header = decode_header(jws).map_err(|_| bad("its header cannot be read"))?;
    if header.alg != Algorithm::EdDSA || header.crit.is_some() || header.typ.as_deref() != Some(typ) {
        return Err(bad("it is not of the expected type"));
    }
    let key =
        header.kid.as_deref().and_then(key).ok_or_else(|| bad("it is signed with a key not known here"))?;
    let data = decode(jws, &key, validation).map_err(|_| bad("signature and content do not match"))?;
    Ok(data.claims)
}

fn without_claims() -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation
}

fn for_access() -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.validate_exp = false;
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    validation.set_required_spec_claims(&["aud", "iss", "sub"]);
    validation
}

fn token_invalid() -> Error {
    Error::unauthenticated("token_invalid", "the access token is not one of ours; log in")
}

fn secret(file: &KeyFile) -> [u8; 32] {
    Sha256::new().chain_update("nigran secrets").chain_update(&file.pkcs8).finalize().into()
}

fn verifying(files: &[KeyFile]) -> HashMap<String, DecodingKey> {
    files.iter().map(|file| (file.kid.clone(), DecodingKey::from_ed_der(&file.public))).collect()
}

fn jwks(files: &[KeyFile]) -> Value {
    json!({ "keys": files.iter().rev().map(jwk).collect::<Vec<_>>() })
}

fn jwk(file: &KeyFile) -> Value {
    json!({
        "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
        "kid": file.kid, "x": URL_SAFE_NO_PAD.encode(file.public),
    })
}

/// Ed25519 by `ring`, which TLS brings along anyway; every other algorithm is refused here.
static RING: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| match algorithm {
        Algorithm::EdDSA => Ok(Box::new(RingSigner(key_pair(key.as_bytes())?)) as Box<dyn JwtSigner>),
        _ => Err(new_error(ErrorKind::UnsupportedAlgorithm)),
    },
    verifier_factory: |algorithm, key| match algorithm {
        Algorithm::EdDSA => {
            let public = UnparsedPublicKey::new(&ED25519, key.try_get_as_bytes()?.to_vec());
            Ok(Box::new(RingVerifier(public)) as Box<dyn JwtVerifier>)
        }
        _ => Err(new_error(ErrorKind::UnsupportedAlgorithm)),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

/// The library asks for a signer at every signature, and to derive the pair from the key costs as much as to sign.
/// So the pairs are kept; a process has one or two.
fn key_pair(pkcs8: &[u8]) -> jsonwebtoken::errors::Result<Arc<Ed25519KeyPair>> {
    static PAIRS: RwLock<Vec<(Vec<u8>, Arc<Ed25519KeyPair>)>> = RwLock::new(Vec::new());
    let known = PAIRS
        .read()
        .ok()
        .and_then(|pairs| pairs.iter().find(|(key, _)| key == pkcs8).map(|(_, pair)| pair.clone()));
    if let Some(pair) = known {
        return Ok(pair);
    }
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8)
        .map_err(|_| new_error(ErrorKind::InvalidEddsaKey))?;
    let pair = Arc::new(pair);
    if let Ok(mut pairs) = PAIRS.write() {
        pairs.truncate(7);
        pairs.insert(0, (pkcs8.to_vec(), pair.clone()));
    }
    Ok(pair)
}

struct RingSigner(Arc<Ed25519KeyPair>);

impl Signer<Vec<u8>> for RingSigner {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, SignatureError> {
        Ok(self.0.sign(message).as_ref().to_vec())
    }
}

impl JwtSigner for RingSigner {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

struct RingVerifier(UnparsedPublicKey<Vec<u8>>);

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), SignatureError> {
        self.0.verify(message, signature).map_err(|_| SignatureError::new())
    }
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}
