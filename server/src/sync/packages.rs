//! What a phone is told of a release without fetching it: how large it is, and whether lists or parameters in it
//! differ from those it holds. Releases never change, so each is looked into once.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::model::ReleaseForPhone;
use crate::canonical;
use crate::error::{Error, Result};
use crate::forms::{Forms, ListedForm};

/// What was found in the releases looked into, by their hash.
#[derive(Clone, Default)]
pub(super) struct Contents(Arc<RwLock<HashMap<String, ReleaseForPhone>>>);

impl Contents {
    /// What a phone is told of the current release of a form. Blocks on the database the first time only.
    pub(super) fn of(&self, forms: &Forms, listed: &ListedForm) -> Result<ReleaseForPhone> {
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&listed.hash) {
            return Ok(known.clone());
        }
        let release = forms.release(&listed.form, listed.version.unsigned_abs())?;
        let release = release.ok_or_else(|| Error::internal("reading a release", "it is gone"))?;
        let content: Value = serde_json::from_slice(&release.document)
            .map_err(|cause| Error::internal("reading a release", cause))?;
        let told = ReleaseForPhone {
            form: listed.form.clone(),
            version: listed.version,
            hash: listed.hash.clone(),
            title: listed.title.clone(),
            kind: listed.kind,
            size: release.document.len(),
            lists_hash: hash_of(&content, &["lists"]),
            parameters_hash: hash_of(&content, &["parameters", "baselines"]),
            url: format!("/v1/forms/{}/releases/{}", listed.form, listed.version),
        };
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(listed.hash.clone(), told.clone());
        Ok(told)
    }
}

/// Hex SHA-256 over the RFC 8785 form of these members, one after the other.
fn hash_of(content: &Value, members: &[&str]) -> String {
    let mut hash = Sha256::new();
    for member in members {
        hash.update(canonical::to_vec(&content[member]).unwrap_or_default());
    }
    hex::encode(hash.finalize())
}
