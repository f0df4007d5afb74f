//! Keyset pages: a list is read on from where the last page ended, at the same cost on page one and page ten thousand.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// One page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The cursor of the next page; none: this was the last.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page of at most `limit` from rows of which one more was asked for. `key` gives the place of an item.
    pub fn of<K: Serialize>(mut items: Vec<T>, limit: usize, key: impl Fn(&T) -> K) -> Page<T> {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|last| encode(&key(last)));
        Page { items, next }
    }
}

/// The `?after=…&limit=…` of a list.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Cursor {
    /// `next` of the page before.
    pub after: Option<String>,
    /// Items on a page: 1 to 500, 50 unless told.
    pub limit: Option<u16>,
}

impl Cursor {
    /// How many items the page may have.
    pub fn limit(&self) -> usize {
        usize::from(self.limit.unwrap_or(50).clamp(1, 500))
    }

    /// The place to read on from.
    pub fn place<K: DeserializeOwned>(&self) -> Result<Option<K>> {
        self.after.as_deref().map(decode).transpose()
    }
}

fn encode(key: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
}

fn decode<K: DeserializeOwned>(text: &str) -> Result<K> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or_else(|| {
        Error::invalid("bad_cursor", "`after` must be the `next` of an earlier page, unchanged")
    })
}
