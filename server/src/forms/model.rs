//! Nouns of the forms room.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use diesel::prelude::*;
use form_engine::{Form, Package};
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::outline::Outline;
use super::plan::{FormPlan, Planned};
use super::rollout::{RolloutDeed, Stage};
use crate::accounts::Kind;
use crate::db::schema::{releases, rollout_events};
use crate::db::{At, Json, Packed, text_enum};
use crate::error::{Error, Result};

/// A release as a row.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = releases)]
pub(super) struct ReleaseRow {
    pub(super) form: String,
    pub(super) version: i32,
    pub(super) hash: String,
    pub(super) kind: Kind,
    pub(super) title: String,
    pub(super) published_at: At,
    pub(super) published_by: Option<String>,
    pub(super) package: Packed,
}

/// Something that was decided about a release, as a row.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = rollout_events)]
pub(super) struct EventRow {
    pub(super) form: String,
    pub(super) n: i32,
    pub(super) version: i32,
    pub(super) at: At,
    pub(super) account_id: Option<String>,
    pub(super) deed: RolloutDeed,
    pub(super) details: Json,
}

/// What a list needs of a release.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = releases)]
pub(super) struct ReleaseHead {
    pub(super) form: String,
    pub(super) version: i32,
    pub(super) hash: String,
    pub(super) kind: Kind,
    pub(super) title: String,
    pub(super) published_at: At,
}

/// A release ready for use: compiled, and written out as a phone gets it.
pub struct Release {
    /// The form's code.
    pub form: String,
    /// Its number.
    pub version: u32,
    /// Hex SHA-256 of its content.
    pub hash: String,
    /// What the form is for.
    pub kind: Kind,
    /// The compiled form.
    pub compiled: Form,
    /// The whole package as JSON.
    pub document: Bytes,
    /// Its sections, repeats and questions.
    pub outline: Outline,
    /// Whether a rule reads the last visit.
    pub reads_last_visit: bool,
    /// Whether a rule reads the facility's record.
    pub reads_facility: bool,
    /// Whether any question is answered at review.
    pub asks_reviewer: bool,
    /// Names of the questions whose answers only those may read who give a reason.
    pub sensitive: BTreeSet<String>,
    /// The questions that name a place, by the choice list they are answered from.
    place_questions: BTreeMap<&'static str, String>,
}

impl Release {
    pub(super) fn of(row: ReleaseRow) -> Result<Release> {
        let package: Package = row.package.read()?;
        let compiled = form_engine::compile(&package).map_err(|problems| {
            let first = problems.first().map(ToString::to_string).unwrap_or_default();
            Error::internal("compiling a published form", format!("{} {}: {first}", row.form, row.version))
        })?;
        Release::compiled(package, compiled, row.hash, row.kind)
    }

    /// A package as the release it would be, were it published.
    ///
    /// # Errors
    /// `form_unsound` with every problem, where it could not be.
    pub fn proposed(package: Package) -> Result<Release> {
        let kind = super::publishing::check(&package)?;
        let compiled = super::publishing::compile(&package)?;
        let hash = package.hash();
        Release::compiled(package, compiled, hash, kind)
    }

    fn compiled(package: Package, compiled: Form, hash: String, kind: Kind) -> Result<Release> {
        let document = document(&package, &hash)?;
        Ok(Release {
            sensitive: sensitive_questions(&package.definition),
            place_questions: place_questions(&package.definition),
            outline: Outline::of(&package),
            reads_last_visit: compiled.reads_last_visit(),
            reads_facility: compiled.reads_facility(),
            asks_reviewer: compiled.asks_reviewer(),
            form: package.form,
            version: package.version,
            hash,
            kind,
            compiled,
            document,
        })
    }
}

impl Release {
    /// The place answered from `list` (`division`, `district`, `tehsil`) in normalised answers.
    pub fn place_answer<'v>(&self, answers: &'v Value, list: &str) -> Option<&'v str> {
        let question = self.place_questions.get(list)?;
        answers.as_object()?.values().find_map(|section| section.get(question)?.as_str())
    }
}

fn document(package: &Package, hash: &str) -> Result<Bytes> {
    let body = json!({
        "form": package.form, "version": package.version, "hash": hash, "definition": package.definition,
        "i18n": package.i18n, "lists": package.lists, "parameters": package.parameters, "baselines": package.baselines,
    });
    serde_json::to_vec(&body).map(Bytes::from).map_err(|cause| Error::internal("writing a release", cause))
}

/// Questions marked `sensitive` or `protected`, themselves or by the section or repeat they stand in.
fn sensitive_questions(definition: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    collect_sensitive(definition, false, &mut names);
    names
}

fn collect_sensitive(node: &Value, inherited: bool, names: &mut BTreeSet<String>) {
    let properties = node.get("properties").or_else(|| node.pointer("/items/properties"));
    for (name, question) in properties.and_then(Value::as_object).into_iter().flatten() {
        let sensitive = match question.get("x-sensitivity").and_then(Value::as_str) {
            Some(word) => matches!(word, "sensitive" | "protected"),
            None => inherited,
        };
        if sensitive {
            names.insert(name.clone());
        }
        collect_sensitive(question, sensitive, names);
    }
}

/// The questions answered from a list of places, outside any repeat.
fn place_questions(definition: &Value) -> BTreeMap<&'static str, String> {
    let sections = definition.get("properties").and_then(Value::as_object);
    let questions = || {
        sections
            .into_iter()
            .flat_map(Map::values)
            .filter_map(|section| section.get("properties")?.as_object())
    };
    ["division", "district", "tehsil"]
        .into_iter()
        .filter_map(|list| {
            let asks =
                |question: &Value| question.pointer("/x-choices/list").and_then(Value::as_str) == Some(list);
            let (name, _) = questions().flatten().find(|(_, question)| asks(question))?;
            Some((list, name.clone()))
        })
        .collect()
}

/// A form in the list.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "form": "child-labour-inspection", "title": "Child-labour inspection", "version": 1,
    "hash": "5f0c…", "published_at": "2026-11-20T08:00:00Z", "kind": "inspection"
}))]
pub struct ListedForm {
    /// The form's code.
    pub form: String,
    /// Its title, in English.
    pub title: String,
    /// The current release.
    pub version: i32,
    /// Hex SHA-256 of the current release.
    pub hash: String,
    /// When it was published.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub published_at: At,
    /// What the form is for.
    pub kind: Kind,
}

text_enum! {
    /// How a release stands for whoever asks.
    Standing {
        /// It is the one to fill in.
        Current = "current",
        /// A newer one is.
        Superseded = "superseded",
        /// It comes into force later.
        Scheduled = "scheduled",
        /// It is in force, for others.
        Staged = "staged",
        /// It was taken back or retired.
        Withdrawn = "withdrawn",
    }
}

/// A release of a form.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ListedRelease {
    /// Its number.
    pub version: i32,
    /// Hex SHA-256 of its content.
    pub hash: String,
    /// When it was published.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub published_at: At,
    /// From when on it is given out.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub effective_at: At,
    /// How it stands for you.
    pub state: Standing,
    /// It was published without a vote: the id of that record, in `GET /v1/break-glass`. Absent where the Committee voted, or does not govern.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without_a_vote: Option<String>,
}

/// A form with all its releases.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct FormView {
    /// The form's code.
    pub form: String,
    /// The release new submissions are filled with; null: the form is not in use.
    pub current: Option<ListedRelease>,
    /// All releases, newest first. Those begun on an older one are still taken.
    pub releases: Vec<ListedRelease>,
}

/// A release that is given out no more. Nobody begins with it; what was begun with it is filed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct WithdrawnRelease {
    /// The form's code.
    pub form: String,
    /// The release's number.
    pub version: i32,
    /// Hex SHA-256 of its content.
    pub hash: String,
    /// What the form is for.
    #[serde(skip)]
    pub kind: Kind,
    /// `rolled_back` or `retired`.
    pub because: RolloutDeed,
    /// Since when.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub at: At,
}

/// What was decided about a release, all together.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "form": "child-labour-inspection", "version": 2, "hash": "77aa…", "published_at": "2026-11-24T06:00:00Z",
    "effective_at": "2026-11-30T19:00:00Z", "grace_days": 14, "stage": { "districts": ["PK226"] }, "withdrawn_at": null,
    "withdrawn_because": null, "proposal": "0193a4b2-7c1e-7d3a-9f00-2b6c1d5e8a41", "minutes_hash": "9c1f…"
}))]
pub struct Staged {
    /// The form's code.
    pub form: String,
    /// The release's number.
    pub version: u32,
    /// Hex SHA-256 of its content.
    pub hash: String,
    /// When it was published.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub published_at: At,
    /// From when on it is given out.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub effective_at: At,
    /// For how many days after it reached them people file older releases without a flag; null: for ever.
    pub grace_days: Option<u16>,
    /// To whom it is given.
    pub stage: Stage,
    /// When it was taken back.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    pub withdrawn_at: Option<At>,
    /// `rolled_back` or `retired`.
    pub withdrawn_because: Option<RolloutDeed>,
    /// The proposal it follows from.
    pub proposal: Option<String>,
    /// SHA-256 of the minutes of the decision.
    pub minutes_hash: Option<String>,
    /// The record of publishing it without a vote, where nobody voted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without_a_vote: Option<String>,
}

impl Staged {
    pub(super) fn of(planned: &Planned) -> Staged {
        let Planned { head, rollout } = planned;
        Staged {
            form: head.form.clone(),
            version: head.version.unsigned_abs(),
            hash: head.hash.clone(),
            published_at: head.published_at,
            effective_at: rollout.effective_at,
            grace_days: rollout.grace_days,
            stage: rollout.stage().clone(),
            withdrawn_at: rollout.taken.map(|(at, _)| at),
            withdrawn_because: rollout.taken.map(|(_, deed)| deed),
            proposal: rollout.proposal.clone(),
            minutes_hash: rollout.minutes_hash.clone(),
            without_a_vote: rollout.without_a_vote.clone(),
        }
    }
}

/// All forms as some get them, written out once, with the tags that let a phone ask "has anything changed?".
pub(crate) struct Listing {
    pub(super) list: Document,
    pub(super) forms: BTreeMap<String, Document>,
}

/// JSON with its entity tag.
pub(super) struct Document {
    pub(super) body: Bytes,
    pub(super) etag: String,
}

impl Document {
    fn of(value: &impl Serialize) -> Document {
        let body = Bytes::from(serde_json::to_vec(value).unwrap_or_default());
        let etag = format!("\"{}\"", hex::encode(&Sha256::digest(&body)[..16]));
        Document { body, etag }
    }
}

impl Listing {
    /// For those who get these versions, form by form.
    pub(super) fn of(plans: &[FormPlan], offered: &[Option<i32>], now: At) -> Listing {
        let mut items = Vec::new();
        let mut forms = BTreeMap::new();
        for (plan, offered) in plans.iter().zip(offered) {
            let is_offered = |planned: &&Planned| Some(planned.head.version) == *offered;
            items.extend(plan.releases.iter().find(is_offered).map(|planned| ListedForm::of(&planned.head)));
            let listed = |planned: &Planned| ListedRelease::of(planned, *offered, now);
            let releases: Vec<ListedRelease> = plan.releases.iter().map(listed).collect();
            let current = releases.iter().find(|release| release.state == Standing::Current).cloned();
            let view = FormView { form: plan.form.clone(), current, releases };
            forms.insert(plan.form.clone(), Document::of(&view));
        }
        Listing { list: Document::of(&json!({ "items": items, "next": null })), forms }
    }
}

impl ListedForm {
    pub(super) fn of(current: &ReleaseHead) -> ListedForm {
        ListedForm {
            form: current.form.clone(),
            title: current.title.clone(),
            version: current.version,
            hash: current.hash.clone(),
            published_at: current.published_at,
            kind: current.kind,
        }
    }

    /// The current release of each form, from all releases ordered by form and then from new to old.
    pub(super) fn current(heads: &[ReleaseHead]) -> Vec<ListedForm> {
        heads.chunk_by(|a, b| a.form == b.form).map(|releases| ListedForm::of(&releases[0])).collect()
    }
}

impl ListedRelease {
    fn of(planned: &Planned, offered: Option<i32>, now: At) -> ListedRelease {
        let Planned { head, rollout } = planned;
        let state = match rollout.taken {
            Some(_) => Standing::Withdrawn,
            None if Some(head.version) == offered => Standing::Current,
            None if offered.is_some_and(|offered| head.version < offered) => Standing::Superseded,
            None if rollout.effective_at > now => Standing::Scheduled,
            None => Standing::Staged,
        };
        ListedRelease {
            version: head.version,
            hash: head.hash.clone(),
            published_at: head.published_at,
            effective_at: rollout.effective_at,
            state,
            without_a_vote: rollout.without_a_vote.clone(),
        }
    }
}
