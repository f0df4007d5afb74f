//! A library of tried questions: everything any released questionnaire asks, with its texts, to be taken into a draft as it is worded. The
//! rules around a question stay behind: they speak of its neighbours.

use std::collections::BTreeMap;

use form_engine::Package;
use form_engine::overlay::{Labels, Operation};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::accounts::{Actor, Permission};
use crate::desk::bases::off_thread;
use crate::desk::model::{Draft, DraftId, How, Texts, Written};
use crate::desk::{Desk, drafts};
use crate::error::{Error, Result};
use crate::forms;
use crate::http::{Cursor, Page};

/// What of a question speaks of its neighbours.
const LEFT_BEHIND: [&str; 6] =
    ["x-relevant", "x-required", "x-constraints", "x-default", "x-locked", "x-code"];

/// `GET /v1/questions`
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::desk) struct LibraryQuery {
    /// Words in the name or in the text, in any language.
    q: Option<String>,
    /// Only of this form.
    form: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// Items on a page: 1 to 500, 50 unless told.
    limit: Option<u16>,
}

/// A question somebody has asked already.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(in crate::desk) struct LibraryQuestion {
    /// The form's code.
    form: String,
    /// The release it is taken from.
    version: i32,
    /// The section it stands in there.
    section: String,
    /// The repeat it stands in there.
    repeat: Option<String>,
    /// Its name.
    name: String,
    /// Its text, by language.
    #[schema(value_type = Object)]
    text: Texts,
    /// How it is written in `form.json`, without what speaks of its neighbours.
    #[schema(value_type = Object)]
    question: Value,
    /// In how many releases of the form it stands.
    releases: u32,
}

/// `POST /v1/drafts/{id}/take`
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuestionTaking, example = json!({
    "form": "shelter-audit", "question": "fire_exits", "into": "t3", "after": "t3_condition", "name": "t3_fire_exits"
}))]
pub(in crate::desk) struct Taking {
    /// The form it is taken from.
    form: String,
    /// The question.
    question: String,
    /// The section or repeat it goes into.
    into: String,
    /// What it stands after there; at the end unless told.
    #[serde(default)]
    after: Option<String>,
    /// Its name in the draft; the same unless told.
    #[serde(default)]
    name: Option<String>,
}

/// A question where it stands.
struct Found<'p> {
    section: String,
    repeat: Option<String>,
    name: String,
    fields: &'p Map<String, Value>,
}

impl Desk {
    /// Questions of released questionnaires, form by form in their order.
    pub(in crate::desk) async fn library(
        &self,
        actor: Actor,
        query: LibraryQuery,
    ) -> Result<Page<LibraryQuestion>> {
        actor.may(Permission::ReadForms)?;
        let cursor = Cursor { after: query.after.clone(), limit: query.limit };
        let (start, limit) = (cursor.place::<usize>()?.unwrap_or(0), cursor.limit());
        let words: Vec<String> =
            query.q.iter().flat_map(|q| q.split_whitespace()).map(str::to_lowercase).collect();
        let packages = self
            .db
            .read(move |conn| {
                let mut packages = Vec::new();
                for listed in forms::current(conn)? {
                    if query.form.as_ref().is_none_or(|form| *form == listed.form) {
                        packages.extend(forms::package(conn, &listed.form, listed.version)?);
                    }
                }
                Ok(packages)
            })
            .await?;
        let room = self.clone();
        // Apart from the reading above: looking releases up takes a connection of its own.
        let found = off_thread(move || {
            let mut found = Vec::new();
            for package in &packages {
                found.extend(room.questions(package, &words)?);
            }
            Ok(found)
        })
        .await?;
        let items = found.into_iter().enumerate().skip(start).take(limit + 1).collect();
        let page = Page::of(items, limit, |(place, _): &(usize, LibraryQuestion)| place + 1);
        Ok(Page { items: page.items.into_iter().map(|(_, question)| question).collect(), next: page.next })
    }

    fn questions(&self, package: &Package, words: &[String]) -> Result<Vec<LibraryQuestion>> {
        let mut questions = Vec::new();
        for found in all(package) {
            let text = texts(package, &found.name, found.fields);
            let haystack = format!("{} {}", found.name, text.values().cloned().collect::<Vec<_>>().join(" "))
                .to_lowercase();
            if words.iter().all(|word| haystack.contains(word)) {
                questions.push(LibraryQuestion {
                    form: package.form.clone(),
                    version: i32::try_from(package.version).unwrap_or(i32::MAX),
                    releases: self.releases_with(&package.form, package.version, &found.name)?,
                    question: Value::Object(alone(found.fields)),
                    section: found.section,
                    repeat: found.repeat,
                    name: found.name,
                    text,
                });
            }
        }
        Ok(questions)
    }

    fn releases_with(&self, form: &str, latest: u32, name: &str) -> Result<u32> {
        let mut count = 0;
        for version in 1..=latest {
            let asked = self
                .forms
                .release(form, version)?
                .is_some_and(|release| release.outline.part(name).is_some());
            count += u32::from(asked);
        }
        Ok(count)
    }

    /// Takes a question of a released questionnaire into a draft.
    pub(in crate::desk) async fn take_question(
        &self,
        actor: Actor,
        id: DraftId,
        known: i32,
        taking: Taking,
    ) -> Result<Draft> {
        actor.may(Permission::WriteDrafts)?;
        let (wanted, by) = (id.clone(), actor.clone());
        let save = self
            .db
            .read(move |conn| {
                drafts::to_write(conn, &by, &wanted, known)?;
                let opened = drafts::opened(conn, &wanted, Some(known))?;
                let unknown = || {
                    Error::not_found(
                        "not_in_the_library",
                        format!(
                            "{} asks no {:?}; GET /v1/questions lists them",
                            taking.form, taking.question
                        ),
                    )
                };
                let version = forms::latest_version(conn, &taking.form)?.ok_or_else(unknown)?;
                let package = forms::package(conn, &taking.form, version)?.ok_or_else(unknown)?;
                let found = all(&package)
                    .into_iter()
                    .find(|found| found.name == taking.question)
                    .ok_or_else(unknown)?;
                let operation = taken(&package, &found, &taking, &opened.base.package);
                let mut operations = opened.written.operations.clone();
                operations.push(operation);
                let written = Written { operations, cases: opened.written.cases.clone() };
                drafts::must_hold(&opened.base, &written)?;
                Ok(drafts::Save {
                    how: How::Saved,
                    base: opened.base.hash,
                    title: opened.version.title,
                    written,
                })
            })
            .await?;
        self.put(actor, id, known, save).await
    }
}

/// Every question that is asked, in order; what is worked out is no question.
fn all(package: &Package) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    let sections = package.definition.get("properties").and_then(Value::as_object);
    for (section, fields) in sections.into_iter().flatten() {
        look_into(fields.get("properties"), section, None, &mut found);
    }
    found
}

fn look_into<'p>(
    properties: Option<&'p Value>,
    section: &str,
    repeat: Option<&str>,
    found: &mut Vec<Found<'p>>,
) {
    for (name, fields) in properties.and_then(Value::as_object).into_iter().flatten() {
        match fields.pointer("/items/properties") {
            Some(rows) => look_into(Some(rows), section, Some(name), found),
            None => {
                let fields = fields.as_object().filter(|fields| !fields.contains_key("x-calculate"));
                found.extend(fields.map(|fields| Found {
                    section: section.to_owned(),
                    repeat: repeat.map(str::to_owned),
                    name: name.clone(),
                    fields,
                }));
            }
        }
    }
}

/// The question without what speaks of its neighbours.
fn alone(fields: &Map<String, Value>) -> Map<String, Value> {
    let mut alone = fields.clone();
    LEFT_BEHIND.iter().for_each(|keyword| drop(alone.remove(*keyword)));
    if let Some(choices) = alone.get_mut("x-choices").and_then(Value::as_object_mut) {
        choices.remove("filter");
    }
    alone
}

fn texts(package: &Package, name: &str, fields: &Map<String, Value>) -> Texts {
    let translated = package.i18n.iter().filter_map(|(language, texts)| {
        Some((language.clone(), texts.get("labels")?.get(name)?.as_str()?.to_owned()))
    });
    let english =
        fields.get("title").and_then(Value::as_str).map(|title| ("en".to_owned(), title.to_owned()));
    translated.chain(english).collect()
}

/// The operation that adds a question as it is worded elsewhere.
fn taken(from: &Package, found: &Found<'_>, taking: &Taking, base: &Package) -> Operation {
    let name = taking.name.clone().unwrap_or_else(|| found.name.clone());
    let ours = |key: &str| -> Option<String> {
        let rest = key.strip_prefix(found.name.as_str())?;
        (rest.is_empty() || rest.starts_with('#') || rest.starts_with('=')).then(|| format!("{name}{rest}"))
    };
    let spoken = super::super::engine::languages(base);
    let mut labels: Labels = BTreeMap::new();
    for (language, texts) in &from.i18n {
        if !spoken.iter().any(|(code, _)| code == language) {
            continue;
        }
        let own = texts.get("labels").and_then(Value::as_object).into_iter().flatten();
        let own: BTreeMap<String, String> =
            own.filter_map(|(key, text)| Some((ours(key)?, text.as_str()?.to_owned()))).collect();
        if !own.is_empty() {
            labels.insert(language.clone(), own);
        }
    }
    let question = alone(found.fields);
    let list = question.get("x-choices").and_then(|choices| choices.get("list")?.as_str());
    let lists = list
        .filter(|list| !base.lists.contains_key(*list))
        .and_then(|list| Some((list.to_owned(), from.lists.get(list)?.clone())));
    let lists: Map<String, Value> = lists.into_iter().collect();
    Operation::AddQuestion {
        into: taking.into.clone(),
        after: taking.after.clone(),
        name,
        question,
        labels,
        lists,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_question_is_taken_with_its_texts_and_its_list_and_without_its_neighbours() {
        let definition = json!({
            "x-form": {"form": "f", "version": 1, "languages": [{"code": "en"}, {"code": "ur"}]},
            "properties": {"a": {"properties": {
                "fee": {"type": "string", "title": "Fee", "x-choices": {"list": "fees", "filter": "choice.x == y"}, "x-relevant": "y > 1"},
                "sum": {"type": "integer", "x-calculate": "1"}
            }}}
        });
        let i18n = json!({"ur": {"labels": {"fee": "فیس", "fee#hint": "سالانہ", "feel": "نہیں"}}});
        let lists = [json!({"list": "fees", "items": []})];
        let from = Package::assemble(definition, i18n.as_object().cloned().unwrap(), &lists, &[]);
        let base = Package { lists: Map::new(), ..from.clone() };
        let questions = all(&from);
        let taking: Taking =
            serde_json::from_value(json!({"form": "f", "question": "fee", "into": "t", "name": "t_fee"}))
                .unwrap();

        let operation = serde_json::to_value(taken(&from, &questions[0], &taking, &base)).unwrap();

        assert_eq!(questions.len(), 1, "what is worked out is no question");
        assert_eq!(
            operation["question"],
            json!({"type": "string", "title": "Fee", "x-choices": {"list": "fees"}})
        );
        assert_eq!(operation["labels"], json!({"ur": {"t_fee": "فیس", "t_fee#hint": "سالانہ"}}));
        assert_eq!(operation["lists"]["fees"]["list"], "fees");
        assert_eq!((&operation["op"], &operation["name"]), (&json!("add_question"), &json!("t_fee")));
    }
}
