//! The envelope a phone sends: read strictly, hashed canonically, kept as it came.

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::model::DeclaredMedia;
use crate::canonical;
use crate::error::{Error, Result};
use crate::json;

/// What stands in an envelope. Members nobody knows are kept in the raw bytes and otherwise ignored: a newer
/// phone may say more than this server understands.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope {
    pub(super) form: String,
    pub(super) version: u32,
    #[serde(default)]
    pub(super) facility: Option<String>,
    #[serde(default)]
    pub(super) started_at: Option<DateTime<FixedOffset>>,
    pub(super) finished_at: DateTime<FixedOffset>,
    #[serde(default)]
    pub(super) device: Option<Device>,
    #[serde(default)]
    pub(super) location: Option<Location>,
    #[serde(deserialize_with = "object")]
    pub(super) answers: Value,
    #[serde(default)]
    pub(super) non_answers: Option<Value>,
    #[serde(default)]
    pub(super) media: Vec<DeclaredMedia>,
    /// What the filer says of a correction: `{note, also_changed}`; read by `corrections`.
    #[serde(default)]
    pub(super) correction: Option<Value>,
}

/// What the phone says of itself.
#[derive(Debug, Deserialize)]
pub(super) struct Device {
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) clock: Option<DateTime<FixedOffset>>,
}

/// The phone's own fix.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Location {
    pub(super) lat: f64,
    pub(super) lon: f64,
    #[serde(default)]
    pub(super) accuracy_m: Option<f64>,
    #[serde(default)]
    pub(super) altitude_m: Option<f64>,
    #[serde(default)]
    pub(super) fixed_at: Option<DateTime<FixedOffset>>,
    #[serde(default)]
    pub(super) mocked: bool,
}

/// Bytes as they came, with the hash of what they say.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) value: Value,
    pub(super) content_hash: String,
}

impl Received {
    /// Reads the bytes: strict JSON, hashed in its RFC 8785 form, so that white space and the order of keys do not
    /// make one submission into two.
    pub(super) fn read(bytes: &[u8]) -> Result<Received> {
        Received::of(json::parse(bytes)?)
    }

    /// The same of JSON that has been read already.
    pub(super) fn of(value: Value) -> Result<Received> {
        let canonical = canonical::to_vec(&value).map_err(|cause| {
            Error::invalid("not_canonical", format!("the body has no canonical form: {cause}"))
        })?;
        Ok(Received { value, content_hash: hex::encode(Sha256::digest(&canonical)) })
    }

    /// The envelope inside, or why there is none.
    pub(super) fn envelope(self) -> Result<Envelope, String> {
        // A list would be read as the members in their order.
        if !self.value.is_object() {
            return Err("it is no JSON object".to_owned());
        }
        Envelope::deserialize(self.value).map_err(|cause| cause.to_string())
    }
}

/// The form and release a stored envelope was filled with.
pub(super) fn filled_with(raw: &[u8]) -> Option<(String, u32)> {
    #[derive(Deserialize)]
    struct Filled {
        form: String,
        version: u32,
    }
    serde_json::from_slice::<Filled>(raw).ok().map(|filled| (filled.form, filled.version))
}

fn object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    Map::deserialize(deserializer).map(Value::Object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_and_key_order_do_not_make_another_submission() {
        let one = Received::read(br#"{"form":"f","version":1,"n":1.0}"#).unwrap();
        let same = Received::read(b"{ \"n\": 1, \"version\": 1,\n \"form\": \"f\" }").unwrap();
        let other = Received::read(br#"{"form":"f","version":2,"n":1}"#).unwrap();

        assert_eq!(one.content_hash, same.content_hash);
        assert_ne!(one.content_hash, other.content_hash);
    }

    #[test]
    fn says_why_an_envelope_cannot_be_read() {
        let why = |text: &str| Received::read(text.as_bytes()).unwrap().envelope().unwrap_err();

        assert_eq!(
            why(r#"{"version":1,"finished_at":"2026-11-20T08:00:00Z","answers":{}}"#),
            "missing field `form`"
        );
        assert!(
            why(r#"{"form":"f","version":1,"finished_at":"2026-11-20T08:00:00Z","answers":[]}"#)
                .contains("map")
        );
        assert_eq!(why(r#"["f",1,null,null,"2026-11-20T08:00:00Z",null,null,{}]"#), "it is no JSON object");
    }
}
