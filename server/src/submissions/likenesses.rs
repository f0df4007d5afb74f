//! What filings with a release have in common: an envelope filled in with whatever stands first, and what is said of such a
//! one. They are packed by it (`db/likeness.rs`), and take half the room. It is made of the release alone, never of what
//! somebody filed; it is stored before anything is packed by it, and filings that come before that are packed alone.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value, json};

use crate::db::likeness::{self, NewLikeness};
use crate::db::{By, Db, Likeness};
use crate::error::{Error, Result};
use crate::forms::Release;

/// The longest likeness, in bytes: what lies farther back costs more to refer to than it saves.
const LONGEST: usize = 48 * 1024;

/// The likenesses this process packs by, of one database. Clones share them.
#[derive(Clone, Default)]
pub struct Likenesses(Arc<Mutex<Memory>>);

#[derive(Default)]
struct Memory {
    known: HashMap<String, &'static Likeness>,
    asked: HashSet<String>,
}

impl Likenesses {
    /// The likeness of this release's filings; none yet: it is being fetched, or made.
    pub(super) fn of(&self, db: &Db, release: &Arc<Release>) -> Option<&'static Likeness> {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(likeness) = memory.known.get(&release.hash) {
            return Some(likeness);
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current()
            && memory.asked.insert(release.hash.clone())
        {
            runtime.spawn(self.clone().learn(db.clone(), release.clone()));
        }
        None
    }

    async fn learn(self, db: Db, release: Arc<Release>) {
        match stored(&db, &release).await {
            Ok(likeness) => {
                let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                memory.known.insert(release.hash.clone(), likeness);
            }
            Err(error) => {
                tracing::warn!(%error, form = release.form, "filings are packed one by one, and take more room");
                let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                memory.asked.remove(&release.hash);
            }
        }
    }
}

/// The one that stands in the database, put there if there is none.
async fn stored(db: &Db, release: &Arc<Release>) -> Result<&'static Likeness> {
    let find = |release: Arc<Release>| db.read(move |conn| likeness::of_release(conn, &release.hash));
    if let Some(likeness) = find(release.clone()).await? {
        return Ok(likeness);
    }
    let row = NewLikeness::of(&release.hash, &specimen(release)?)?;
    let unit = move |tx: &mut crate::db::Tx<'_>| {
        tx.later(row.clone());
        Ok(())
    };
    db.write(By::system(), unit).await?;
    // Somebody else's may stand there first.
    find(release.clone()).await?.ok_or_else(|| Error::internal("storing a likeness", "it is not there"))
}

/// What filings with this release are like: what its rules say, then a judgement, then an envelope.
fn specimen(release: &Release) -> Result<Vec<u8>> {
    let document: Value = serde_json::from_slice(&release.document)
        .map_err(|cause| Error::internal("reading a release", cause))?;
    let definition = &document["definition"];
    let judgement = json!({
        "verdict": "valid", "answers": {}, "calculated": {}, "violations": [], "findings": [], "scores": {}, "summary": {},
        "flags": [], "place": { "status": "inside", "set": "", "province": named("PK2", "Balochistan", "بلوچستان"),
            "division": named("PK2-DIV-", "", ""), "district": named("PK2", "", ""), "tehsil": named("PK2", "", ""),
            "distance_to_boundary_m": 1000.0, "ambiguous_gps": false, "near_boundary": false,
            "candidates": [{ "code": "PK2", "distance_m": 0.0 }] },
        "declared": [], "started_at": "2026-11-20T09:00:00+05:00", "finished_at": "2026-11-20T09:00:00+05:00",
    });
    let envelope = json!({
        "form": release.form, "version": release.version, "facility": null,
        "started_at": "2026-11-20T09:00:00+05:00", "finished_at": "2026-11-20T09:00:00+05:00",
        "device": { "id": "phone-1", "app": "nigran-android/1.0", "clock": "2026-11-20T09:00:00+05:00" },
        "answers": filled(definition, &document["lists"]),
        "media": [{ "name": "front.jpg", "sha256": "", "size": 204_800, "type": "image/jpeg" }],
        "location": { "lat": 30.1, "lon": 67.0, "accuracy_m": 8.0, "altitude_m": 1600.0,
            "fixed_at": "2026-11-20T09:00:00+05:00", "provider": "gps", "mocked": false },
    });
    let mut text =
        format!("{}{}{judgement}{envelope}", document["i18n"], definition["x-findings"]).into_bytes();
    text.drain(..text.len().saturating_sub(LONGEST));
    Ok(text)
}

fn named(code: &str, name_en: &str, name_ur: &str) -> Value {
    json!({ "code": code, "name_en": name_en, "name_ur": name_ur })
}

/// An answer to a question, or to all questions inside: whatever stands first.
fn filled(node: &Value, lists: &Value) -> Value {
    if let Some(members) = node["properties"].as_object() {
        let answers = members.iter().map(|(name, node)| (name.clone(), filled(node, lists)));
        return Value::Object(Map::from_iter(answers));
    }
    let first = &node["oneOf"][0]["const"];
    if !first.is_null() {
        return first.clone();
    }
    if let Some(list) = node["x-choices"]["list"].as_str() {
        return lists[list]["items"][0]["code"].clone();
    }
    match node["type"].as_str() {
        Some("array") => json!([filled(&node["items"], lists)]),
        Some("integer" | "number") => json!(0),
        Some("boolean") => json!(false),
        _ => json!(""),
    }
}
