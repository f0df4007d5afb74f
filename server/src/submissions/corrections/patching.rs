//! Correcting single questions: the phone sends the answers that change and the hash of the revision it changes, some two
//! hundred bytes, and the server writes them into the envelope it holds. The same correction of the same revision always
//! makes the same envelope, so its content hash makes a resend harmless, and a phone that holds the envelope can work out
//! the hash by itself: the stored envelope, with the answers written in, and the request as its `correction` member.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::accounts::Actor;
use crate::error::{Error, Result};
use crate::forms::Release;
use crate::json;
use crate::submissions::Submissions;
use crate::submissions::envelope::filled_with;
use crate::submissions::ingest::{FILING, Filed};
use crate::submissions::model::{Revision, SubmissionId};
use crate::submissions::reading::unknown;
use crate::submissions::settling::out_of_date;
use crate::submissions::store;

/// Members of the envelope a correction speaks of.
const CORRECTION: &str = "correction";

/// `POST /v1/submissions/{id}/corrections`
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(example = json!({
    "if_match": "9f2c…", "answers": { "departure_time": "12:40", "children[0].age_years": 13, "landmark": null },
    "note": "misread the register", "also_changed": ["landmark"]
}))]
pub(in crate::submissions) struct CorrectionRequest {
    /// The content hash of the revision that is corrected; `If-Match` says the same.
    #[serde(default)]
    if_match: Option<String>,
    /// Path to answer. `null` takes an answer back; `children[2]` with an object is a new row, with `null` removes it.
    #[serde(default)]
    #[schema(value_type = Object)]
    answers: Map<String, Value>,
    /// Path to the reason given instead of an answer; `null` takes it back.
    #[serde(default)]
    #[schema(value_type = Object)]
    non_answers: Map<String, Value>,
    /// Files that are new, or take the place of those of the same name, as the envelope declares them.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    media: Vec<Value>,
    /// What the filer says about it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    #[allow(dead_code, reason = "it is read from the stored envelope, where the whole request stands")]
    note: Option<Value>,
    /// Paths the filer changed knowingly though nobody had sent them back.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    #[allow(dead_code, reason = "it is read from the stored envelope, where the whole request stands")]
    also_changed: Option<Value>,
}

impl Submissions {
    /// Stores a revision that differs from the one of this hash in the answers sent.
    pub(super) async fn correct(
        &self,
        filer: Actor,
        id: SubmissionId,
        body: Bytes,
        if_match: Option<String>,
    ) -> Result<Filed> {
        filer.may_any(FILING)?;
        let sent = json::parse(&body)?;
        let request = request(&sent)?;
        let known = known(&request, if_match)?;
        let desk = self.clone();
        let (wanted, hash, account) = (id.clone(), known.clone(), filer.account.to_string());
        let envelope = tokio::task::spawn_blocking(move || {
            let base = desk.db.read_here(|conn| {
                let head = store::head(conn, &wanted)?.filter(|head| head.account_id == account);
                let head = head.ok_or_else(|| unknown(&wanted))?;
                store::revision_with_hash(conn, &wanted, &hash)?.ok_or_else(|| out_of_date(&head))
            })?;
            desk.patched(&base, request, sent)
        })
        .await
        .map_err(|cause| Error::internal("correcting a submission", cause))??;
        self.file(filer, id, envelope, Some(known)).await
    }

    /// The stored envelope with the correction written in.
    fn patched(&self, base: &Revision, request: CorrectionRequest, sent: Value) -> Result<Bytes> {
        let raw = base.raw()?;
        let mut envelope = json::parse(&raw)?;
        let filled = filled_with(&raw).ok_or_else(|| broken("its envelope names no release"))?;
        let release = self.forms.release(&filled.0, filled.1)?;
        let release = release.ok_or_else(|| broken("its release is gone"))?;
        let envelope = envelope.as_object_mut().ok_or_else(|| broken("its envelope is no object"))?;
        answer(envelope, &release, request.answers)?;
        give_reasons(envelope, request.non_answers);
        declare(envelope, request.media);
        envelope.insert(CORRECTION.to_owned(), sent);
        let written = serde_json::to_vec(envelope).map(Bytes::from);
        written.map_err(|cause| Error::internal("writing a corrected envelope", cause))
    }
}

fn broken(what: &'static str) -> Error {
    Error::internal("correcting a submission", what)
}

fn request(sent: &Value) -> Result<CorrectionRequest> {
    let unreadable = |why: String| {
        Error::invalid(
            "bad_correction",
            format!("the correction cannot be read: {why}; send one JSON object"),
        )
    };
    match sent.is_object() {
        true => CorrectionRequest::deserialize(sent).map_err(|cause| unreadable(cause.to_string())),
        false => Err(unreadable("it is no object".to_owned())),
    }
}

/// The hash of the revision that is corrected.
fn known(request: &CorrectionRequest, header: Option<String>) -> Result<String> {
    if request.answers.is_empty() && request.non_answers.is_empty() && request.media.is_empty() {
        return Err(Error::invalid(
            "nothing_to_correct",
            "say what changes: `answers` is an object of path and answer, such as {\"departure_time\": \"12:40\"}",
        ));
    }
    match (&request.if_match, header) {
        (Some(member), Some(header)) if *member != header => Err(Error::invalid(
            "bad_if_match",
            "If-Match and `if_match` name two revisions; send one of them",
        )),
        (Some(hash), _) => Ok(hash.clone()),
        (None, Some(hash)) => Ok(hash),
        (None, None) => Err(Error::invalid(
            "if_match_missing",
            "say which revision is corrected: `if_match` is its content hash",
        )),
    }
}

fn answer(envelope: &mut Map<String, Value>, release: &Release, answers: Map<String, Value>) -> Result<()> {
    let given = envelope.entry("answers").or_insert_with(|| Value::Object(Map::new()));
    let mut nowhere = Vec::new();
    for (path, value) in answers {
        if !release.compiled.write_answer(given, &path, value) {
            nowhere.push(path);
        }
    }
    if nowhere.is_empty() {
        return Ok(());
    }
    let detail = format!("the form has no question, or these answers no row, at {}", nowhere.join(", "));
    Err(Error::invalid("question_unknown", detail).with("paths", nowhere))
}

fn give_reasons(envelope: &mut Map<String, Value>, reasons: Map<String, Value>) {
    if reasons.is_empty() {
        return;
    }
    let given = envelope.entry("non_answers").or_insert(Value::Null);
    if !given.is_object() {
        *given = Value::Object(Map::new());
    }
    let Some(given) = given.as_object_mut() else { return };
    for (path, reason) in reasons {
        match reason {
            Value::Null => drop(given.shift_remove(&path)),
            reason => drop(given.insert(path, reason)),
        }
    }
}

fn declare(envelope: &mut Map<String, Value>, files: Vec<Value>) {
    if files.is_empty() {
        return;
    }
    let declared = envelope.entry("media").or_insert(Value::Null);
    if !declared.is_array() {
        *declared = Value::Array(Vec::new());
    }
    let Some(declared) = declared.as_array_mut() else { return };
    for file in files {
        declared.retain(|other| other.get("name") != file.get("name"));
        declared.push(file);
    }
}
