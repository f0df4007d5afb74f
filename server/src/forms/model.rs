//! Nouns of the forms room.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use diesel::prelude::*;
use form_engine::{Form, Package};
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::outline::Outline;
use crate::accounts::Kind;
use crate::db::schema::releases;
use crate::db::{At, Packed};
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
        let document = document(&package, &row.hash)?;
        Ok(Release {
            sensitive: sensitive_questions(&package.definition),
            place_questions: place_questions(&package.definition),
            outline: Outline::of(&package),
            reads_last_visit: compiled.reads_last_visit(),
            reads_facility: compiled.reads_facility(),
            form: row.form,
            version: package.version,
            hash: row.hash,
            kind: row.kind,
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
}

/// A form with all its releases.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct FormView {
    /// The form's code.
    pub form: String,
    /// The release new submissions are filled with.
    pub current: ListedRelease,
    /// All releases, newest first. Those begun on an older one are still taken.
    pub releases: Vec<ListedRelease>,
}

/// All forms, written out once, with the tags that let a phone ask "has anything changed?".
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
    /// From all releases, ordered by form and then from new to old.
    pub(super) fn of(heads: Vec<ReleaseHead>) -> Listing {
        let mut items = Vec::new();
        let mut forms = BTreeMap::new();
        for releases in heads.chunk_by(|a, b| a.form == b.form) {
            let current = &releases[0];
            items.push(ListedForm::of(current));
            let listed = releases.iter().map(ListedRelease::of).collect::<Vec<_>>();
            let view = FormView { form: current.form.clone(), current: listed[0].clone(), releases: listed };
            forms.insert(current.form.clone(), Document::of(&view));
        }
        Listing { list: Document::of(&json!({ "items": items, "next": null })), forms }
    }
}

impl ListedForm {
    fn of(current: &ReleaseHead) -> ListedForm {
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
    fn of(head: &ReleaseHead) -> ListedRelease {
        ListedRelease { version: head.version, hash: head.hash.clone(), published_at: head.published_at }
    }
}
