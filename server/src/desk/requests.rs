//! What people send to the desk, checked once at the edge.

use chrono::NaiveDate;
use form_engine::Package;
use form_engine::overlay::Operation;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::model::{Answer, Choice, Seat};
use crate::db::storable;
use crate::error::{Error, Result};
use crate::json;
use crate::replay::{Law, Over};

/// How long what people write may be.
const LONGEST: usize = 4000;
/// How long a title may be.
const LONGEST_TITLE: usize = 200;
/// Most operations of a draft.
pub(super) const MOST_OPERATIONS: usize = 5_000;
/// Most cases of a draft's own.
pub(super) const MOST_CASES: usize = 1_000;
/// Largest draft or base that is read.
pub(super) const LARGEST: usize = 8 << 20;

/// `POST /v1/bases`
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "package": { "form": "child-protection-toolkit", "version": 2, "definition": {}, "i18n": {}, "lists": {}, "parameters": [], "baselines": [] },
    "note": "UNICEF's revision of March 2027"
}))]
pub(super) struct NewBase {
    /// The whole package, as `GET /v1/forms/{form}/releases/{version}` gives one.
    #[schema(value_type = Object)]
    pub(super) package: Package,
    /// Answers with the outcome they must have.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    pub(super) cases: Vec<Value>,
    /// Where it comes from.
    pub(super) note: String,
}

/// `POST /v1/drafts`
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "form": "child-protection-toolkit", "title": "Brahui, and two questions on school fees" }))]
pub(super) struct NewDraft {
    /// The form's code.
    pub(super) form: String,
    /// What the draft is for.
    pub(super) title: String,
    /// Hash of the base; unless told, the current release's, with what was done to it so far.
    #[serde(default)]
    pub(super) base: Option<String>,
}

/// `PUT /v1/drafts/{id}`
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DraftContent, example = json!({
    "operations": [{ "op": "relabel", "key": "visit_date", "text": "Date of the visit" }], "cases": []
}))]
pub(super) struct NewContent {
    /// What the draft is for; as before unless told.
    #[serde(default)]
    pub(super) title: Option<String>,
    /// All operations, in order.
    #[schema(value_type = Vec<Object>)]
    pub(super) operations: Vec<Operation>,
    /// All cases of the draft's own; as before unless told.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Object>>)]
    pub(super) cases: Option<Vec<Value>>,
}

/// `POST /v1/drafts/{id}/restore`
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DraftRestore, example = json!({ "version": 3 }))]
pub(super) struct Restore {
    /// The version to bring back; it becomes the newest.
    pub(super) version: i32,
}

/// `POST /v1/proposals` and `PUT /v1/proposals/{id}`
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "draft": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "version": 7, "effective_from": "2027-01-01", "grace_days": 30,
    "stage": "all", "languages": ["ur", "brh"]
}))]
pub(super) struct NewProposal {
    /// The draft.
    pub(super) draft: uuid::Uuid,
    /// Its version that is frozen: what its author last saw.
    pub(super) version: i32,
    /// The day in Pakistan from which it is given out.
    pub(super) effective_from: NaiveDate,
    /// How many days the release before it is filed with without a flag: 30 unless told.
    #[serde(default = "usual_grace")]
    pub(super) grace_days: u16,
    /// Who gets it: `"all"`, `{"districts": […]}` or `{"share": {"percent", "seed"}}`; all unless told.
    #[serde(default = "everybody")]
    #[schema(value_type = Object)]
    pub(super) stage: Value,
    /// Languages it must be complete in, beside those the form itself requires.
    #[serde(default)]
    pub(super) languages: Vec<String>,
}

fn usual_grace() -> u16 {
    30
}

fn everybody() -> Value {
    json!("all")
}

/// `POST /v1/proposals/{id}/open`
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VoteOpening, example = json!({ "days": 14 }))]
pub(super) struct Opening {
    /// How many days votes are taken; as the rules say unless told.
    #[serde(default)]
    pub(super) days: Option<u32>,
}

/// `POST /v1/proposals/{id}/comments`
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "body": "Would a mother understand this word?", "question": "school_fee" }))]
pub(super) struct NewComment {
    /// What is said.
    pub(super) body: String,
    /// The comment it answers.
    #[serde(default)]
    pub(super) answers: Option<String>,
    /// The question, section, parameter or rule it is about.
    #[serde(default)]
    pub(super) question: Option<String>,
}

/// `POST /v1/proposals/{id}/votes`. The signature is over the RFC 8785 form of `{proposal, hash, vote, reason, at}`, with `dissent`
/// and `casting` where they are given.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "hash": "5f0c…", "vote": "approve", "reason": "The children asked for it.", "at": "2026-11-24T12:00:00+05:00",
    "key": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "signature": "q8Zc…"
}))]
pub(super) struct NewVote {
    /// The hash that is voted on: what the member read.
    pub(super) hash: String,
    /// The vote.
    pub(super) vote: Choice,
    /// Why; needed to reject and to be recused.
    #[serde(default)]
    pub(super) reason: String,
    /// What is to stand in the minutes against the decision.
    #[serde(default)]
    pub(super) dissent: Option<String>,
    /// When it was signed, by the member's clock.
    pub(super) at: String,
    /// The chair's casting vote.
    #[serde(default)]
    pub(super) casting: bool,
    /// The key it is signed with.
    pub(super) key: String,
    /// Ed25519, base64url without padding.
    pub(super) signature: String,
}

/// `POST /v1/proposals/{id}/consent`. The signature is over the RFC 8785 form of `{proposal, hash, head, answer, reason, at}`, where `head` is
/// the role of whoever signs.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "hash": "5f0c…", "answer": "consent", "reason": "", "at": "2026-11-24T12:00:00+05:00",
    "key": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "signature": "q8Zc…"
}))]
pub(super) struct NewConsent {
    /// The hash that is answered to: what the head read.
    pub(super) hash: String,
    /// Consent, or refusal.
    pub(super) answer: Answer,
    /// Why; needed to refuse.
    #[serde(default)]
    pub(super) reason: String,
    /// When it was signed, by the head's clock.
    pub(super) at: String,
    /// The key it is signed with.
    pub(super) key: String,
    /// Ed25519, base64url without padding.
    pub(super) signature: String,
}

/// `POST /v1/committee/members`
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "account": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f14", "role": "member", "until": "2028-12-31",
    "basis": "Notification SO(SW)/2026/112 of 3 November 2026"
}))]
pub(super) struct NewMember {
    /// The account, of role `committee`.
    pub(super) account: uuid::Uuid,
    /// What the person sits as.
    pub(super) role: Seat,
    /// From which day or instant on; from now on unless told.
    #[serde(default)]
    pub(super) from: Option<String>,
    /// Up to (not including) which day or instant; without end unless told.
    #[serde(default)]
    pub(super) until: Option<String>,
    /// The notification it rests on.
    pub(super) basis: String,
}

/// `POST /v1/committee/members/{id}/end`
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MemberEnd, example = json!({ "reason": "Transferred to Lahore." }))]
pub(super) struct EndOfTerm {
    /// Why the term ends now.
    pub(super) reason: String,
}

/// `POST /v1/committee/keys`. Both signatures are over the RFC 8785 form of `{account, public_key}`.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewMemberKey, example = json!({ "public_key": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "proof": "q8Zc…" }))]
pub(super) struct NewKey {
    /// The public key: 32 bytes, base64url without padding.
    pub(super) public_key: String,
    /// The new key's signature: that its owner holds the private half.
    pub(super) proof: String,
    /// The signature of the key it takes the place of. Without it another member must confirm the new key.
    #[serde(default)]
    pub(super) by_old_key: Option<String>,
}

/// `POST /v1/committee/keys/{id}/confirm`
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MemberKeyConfirmation, example = json!({ "signature": "q8Zc…" }))]
pub(super) struct Confirmation {
    /// The confirming member's own signature over `{account, public_key}` of the key that is confirmed.
    pub(super) signature: String,
}

/// `POST /v1/proposals/{id}/break-glass`
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "hash": "5f0c…", "reason": "Release 4 flags every registered home as closed; auditors are turned away today." }))]
pub(super) struct NewGlass {
    /// The hash of the proposal that is to be published.
    pub(super) hash: String,
    /// What cannot wait, and why the Committee cannot meet.
    pub(super) reason: String,
}

/// `POST /v1/break-glass/{id}/agree`. The signature is over the RFC 8785 form of `{break_glass, hash, reason}`.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BreakGlassAgreement, example = json!({ "hash": "5f0c…", "key": "kPrK_q…", "signature": "q8Zc…" }))]
pub(super) struct Agreement {
    /// The hash the second person read.
    pub(super) hash: String,
    /// The key it is signed with.
    pub(super) key: String,
    /// Ed25519, base64url without padding.
    pub(super) signature: String,
}

/// `POST /v1/proposals/{id}/replay`
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProposalReplay, example = json!({ "over": { "sample": { "size": 1000, "seed": 7 } } }))]
pub(super) struct NewReplay {
    /// Over which past visits; all unless told.
    #[serde(default = "all_visits")]
    pub(super) over: Over,
    /// By which values of the law the proposal judges; those of each visit's own day unless told.
    #[serde(default)]
    pub(super) law: Law,
}

fn all_visits() -> Over {
    Over::All
}

/// A reason, where nothing else is sent.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeskReason, example = json!({ "reason": "The department asked for more time." }))]
pub(super) struct Reason {
    /// Why.
    pub(super) reason: String,
}

/// Reads a large body strictly: no key twice, nothing deeper than a form may be.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    serde_json::from_value(json::parse(body)?)
        .map_err(|cause| Error::invalid("bad_json", format!("the body cannot be read: {cause}")))
}

/// What somebody must write, trimmed.
pub(super) fn needed_words(member: &'static str, text: &str) -> Result<String> {
    words(member, text)?.ok_or_else(|| {
        Error::invalid(
            "words_needed",
            format!("`{member}` must say why; whoever reads it later was not there"),
        )
    })
}

/// What somebody wrote, trimmed; none: nothing.
pub(super) fn words(member: &'static str, text: &str) -> Result<Option<String>> {
    bounded(member, text, LONGEST)
}

/// A title, trimmed.
pub(super) fn title(text: &str) -> Result<String> {
    bounded("title", text, LONGEST_TITLE)?
        .ok_or_else(|| Error::invalid("words_needed", "`title` must say what the draft is for"))
}

fn bounded(member: &'static str, text: &str, longest: usize) -> Result<Option<String>> {
    let text = storable(text.trim().to_owned());
    match text.chars().count() {
        0 => Ok(None),
        length if length > longest => Err(Error::invalid(
            "text_too_long",
            format!("`{member}` may have {longest} characters; it has {length}"),
        )),
        _ => Ok(Some(text)),
    }
}
