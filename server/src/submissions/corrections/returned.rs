//! What a revision changes of one that was sent back: only what the reviewer asked for, unless the filer says otherwise.
//! Anything else is stored all the same and flagged.

use std::collections::BTreeMap;

use form_engine::Outcome;
use serde_json::{Value, json};

use crate::forms::{Outline, Sort};
use crate::submissions::changes::{self, Change, How};
use crate::submissions::model::{Correction, Flag, Judgement, Review};

/// Paths named in a flag at most; there may be thousands.
const NAMED: usize = 50;

/// The revision that another one follows.
pub(in crate::submissions) struct Before {
    /// Its number.
    pub(in crate::submissions) revision: i32,
    /// Where the submission stood with its reviewer.
    pub(in crate::submissions) review: Review,
    /// What it was sent back for, if it was.
    pub(in crate::submissions) returned: Option<Returned>,
}

/// A revision that was sent back.
pub(in crate::submissions) struct Returned {
    /// What was said of it.
    pub(in crate::submissions) judgement: Judgement,
    /// The paths that were commented on; none: the reviewer named no question, and all may be corrected.
    pub(in crate::submissions) paths: Vec<String>,
}

/// What the filer says with a correction, in the envelope's `correction`. Whatever does not fit is not said: a slip in
/// it must not put a submission into quarantine.
#[derive(Debug, Default, PartialEq)]
struct Said {
    note: Option<String>,
    also_changed: Vec<String>,
}

impl Said {
    fn of(correction: Option<&Value>) -> Said {
        let Some(correction) = correction else { return Said::default() };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Said {
            note: correction.get("note").and_then(text),
            also_changed: correction
                .get("also_changed")
                .and_then(Value::as_array)
                .map(|paths| paths.iter().filter_map(text).collect())
                .unwrap_or_default(),
        }
    }
}

/// What the revision changes, if it follows one that was sent back. `was_hidden`: what was not asked in that one.
pub(in crate::submissions) fn correction(
    before: &Before,
    said: Option<&Value>,
    outline: &Outline,
    outcome: &Outcome,
    was_hidden: &BTreeMap<String, bool>,
) -> Option<Correction> {
    let returned = before.returned.as_ref()?;
    let said = Said::of(said);
    let changes = changes::between(&[outline], &returned.judgement.answers, &outcome.answers);
    // Calculated values, and questions that came or went with another answer, follow of themselves.
    let follows = |change: &Change| {
        outline.part(&change.name).is_some_and(|part| part.sort == Sort::Calculated)
            || (change.how == How::Added && hides(was_hidden, outline, change))
            || (change.how == How::Removed && hides(&outcome.relevance, outline, change))
    };
    let changed: Vec<&Change> = changes.iter().filter(|change| !follows(change)).collect();
    let asked_for = |change: &Change| {
        returned.paths.is_empty()
            || returned.paths.iter().chain(&said.also_changed).any(|path| covers(path, outline, change))
    };
    Some(Correction {
        of_revision: before.revision,
        note: said.note,
        beyond_return: changed
            .iter()
            .filter(|change| !asked_for(change))
            .map(|change| change.path.clone())
            .collect(),
        changed: changed.iter().map(|change| change.path.clone()).collect(),
    })
}

/// What smells wrong about following a revision that was decided upon.
pub(in crate::submissions) fn flags(before: &Before, correction: Option<&Correction>) -> Option<Flag> {
    let beyond = correction.map(|correction| &correction.beyond_return).filter(|paths| !paths.is_empty());
    match (before.review, beyond) {
        (_, Some(paths)) => Some(flag(
            "changed_beyond_return",
            "Answers were changed that nobody had sent back.",
            "ایسے جوابات بدلے گئے جو واپس نہیں کیے گئے تھے۔",
            json!({ "count": paths.len(), "paths": &paths[..paths.len().min(NAMED)] }),
        )),
        (Review::Accepted, _) => Some(flag(
            "revised_after_acceptance",
            "It was changed after it had been accepted.",
            "منظوری کے بعد تبدیل کیا گیا۔",
            json!({ "revision": before.revision }),
        )),
        (Review::Rejected, _) => Some(flag(
            "revised_after_rejection",
            "It was changed after it had been rejected.",
            "مسترد ہونے کے بعد تبدیل کیا گیا۔",
            json!({ "revision": before.revision }),
        )),
        (Review::Received | Review::Returned, None) => None,
    }
}

fn flag(code: &str, en: &str, ur: &str, figures: Value) -> Flag {
    let message = BTreeMap::from([("en".to_owned(), en.to_owned()), ("ur".to_owned(), ur.to_owned())]);
    Flag { code: code.to_owned(), message, figures: figures.as_object().cloned().unwrap_or_default() }
}

/// Whether a comment on `path` asks for this change: on the question itself, its row, its repeat or its section.
fn covers(path: &str, outline: &Outline, change: &Change) -> bool {
    let outermost = change.path.split(['.', '[']).next().unwrap_or_default();
    if outline.part(outermost).and_then(|part| part.section.as_deref()) == Some(path) {
        return true;
    }
    let holds =
        |at: &str| at.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    // A new row stands where another one may have stood: only a comment on the repeat asks for it.
    let is_new_row = change.how == How::Added && change.path.ends_with(']');
    match is_new_row {
        true => change.path.rsplit_once('[').is_some_and(|(repeat, _)| {
            repeat.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        }),
        false => holds(&change.was) || holds(&change.path),
    }
}

/// Whether the question, or anything it stands in, is hidden.
fn hides(relevance: &BTreeMap<String, bool>, outline: &Outline, change: &Change) -> bool {
    let hidden = |path: &str| relevance.get(path) == Some(&false);
    let outermost = change.path.split(['.', '[']).next().unwrap_or_default();
    let in_hidden_section =
        outline.part(outermost).and_then(|part| part.section.as_deref()).is_some_and(hidden);
    let ends = change.path.match_indices(['.', '[']).map(|(end, _)| end).chain([change.path.len()]);
    in_hidden_section || ends.into_iter().any(|end| hidden(&change.path[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use form_engine::{Context, NoAreas, Package, User, Visit, compile};

    fn package() -> Package {
        let definition = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "T", "type": "object",
            "additionalProperties": false,
            "x-form": { "form": "f", "version": 1, "kind": "inspection", "line": "labour", "filled_by": ["inspector"],
                "languages": [{ "code": "en", "dir": "ltr" }] },
            "properties": { "b1": { "title": "B1", "type": "object", "additionalProperties": false, "properties": {
                "entry": { "type": "string", "title": "Entry" },
                "why": { "type": "string", "title": "Why", "x-relevant": "entry == 'refused'" },
                "count": { "type": "integer", "title": "Count" },
                "double": { "type": "integer", "title": "Double", "readOnly": true, "x-calculate": "count * 2" }
            } } }
        });
        Package::assemble(definition, Default::default(), &[], &[])
    }

    fn judged(answers: Value, after: Value, paths: &[&str], said: Option<Value>) -> Correction {
        let package = package();
        let form = compile(&package).unwrap_or_else(|problems| panic!("{problems:?}"));
        let outline = Outline::of(&package);
        let visit = Visit::finished("2026-11-20T08:47:10+05:00".parse().unwrap());
        let context = Context::new(visit, User::default(), &NoAreas);
        let was = form.evaluate(&answers, None, &context);
        let before = Before {
            revision: 1,
            review: Review::Returned,
            returned: Some(Returned {
                judgement: Judgement {
                    verdict: crate::submissions::Verdict::Valid,
                    answers: was.answers.clone(),
                    calculated: Default::default(),
                    violations: Vec::new(),
                    findings: Vec::new(),
                    scores: Default::default(),
                    summary: Default::default(),
                    flags: Vec::new(),
                    place: crate::places::PlaceTag::no_fix(),
                    declared: Vec::new(),
                    started_at: None,
                    finished_at: String::new(),
                    correction: None,
                    asked_at_review: Vec::new(),
                },
                paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            }),
        };
        let outcome = form.evaluate(&after, None, &context);
        correction(&before, said.as_ref(), &outline, &outcome, &was.relevance).unwrap()
    }

    #[test]
    fn what_was_sent_back_may_be_changed_with_all_that_follows_from_it() {
        let after = json!({ "entry": "refused", "why": "gate shut", "count": 2 });
        let correction = judged(json!({ "entry": "free", "count": 2 }), after, &["entry"], None);

        assert_eq!(correction.changed, ["entry"]);
        assert!(correction.beyond_return.is_empty());
    }

    #[test]
    fn what_nobody_sent_back_is_named_unless_the_filer_names_it() {
        let (before, after) =
            (json!({ "entry": "free", "count": 2 }), json!({ "entry": "late", "count": 3 }));

        let silent = judged(before.clone(), after.clone(), &["entry"], None);
        let said = json!({ "note": "miscounted", "also_changed": ["count"] });
        let open = judged(before.clone(), after.clone(), &["entry"], Some(said));
        let whole = judged(before.clone(), after.clone(), &["b1"], None);
        let unnamed = judged(before, after, &[], Some(json!("nonsense")));

        assert_eq!(silent.changed, ["entry", "count"]);
        assert_eq!(silent.beyond_return, ["count"]);
        assert!(open.beyond_return.is_empty() && open.note.as_deref() == Some("miscounted"));
        assert!(whole.beyond_return.is_empty() && unnamed.beyond_return.is_empty());
    }
}
