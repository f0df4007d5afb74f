//! Trying a rule on a sample while it is written. The rule is put where it would stand, as something that must hold or, if it is no
//! yes or no, as something worked out; then the engine says what comes out, on which answers, and why it stays unknown.

use chrono::{FixedOffset, TimeZone as _};
use form_engine::cases::{self, Case};
use form_engine::{Explained, Form, Package, Problem, compile};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::accounts::{Actor, Permission};
use crate::db::At;
use crate::desk::model::DraftId;
use crate::desk::{Desk, drafts, engine};
use crate::error::{Error, Result};

/// What a tried rule is called.
const CODE: &str = "TRIED-RULE";
/// What a tried calculation is called.
const NAME: &str = "tried_rule_value";
/// Longest rule; the engine reads no longer one.
const LONGEST_RULE: usize = 4096;

/// `POST /v1/drafts/{id}/try`
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RuleTrial, example = json!({
    "rule": "age_years < param.age.adolescent_max", "on": "children",
    "answers": { "children": [{ "age_years": 17 }] }, "context": { "finished_at": "2027-01-05T12:00:00+05:00" }
}))]
pub(in crate::desk) struct Trial {
    /// The rule in the rule language.
    rule: String,
    /// The question, repeat or section it would stand on; the form unless told.
    #[serde(default)]
    on: Option<String>,
    /// A case of the draft whose answers and circumstances it is tried in.
    #[serde(default)]
    case: Option<String>,
    /// Or: the answers.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    answers: Option<Value>,
    /// Reasons given instead of answers.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    non_answers: Option<Value>,
    /// What the reviewer answered: path -> answer. With it the rule is tried at review.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    review_answers: Option<Map<String, Value>>,
    /// The circumstances, as cases write them; a visit that ends now unless told.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    context: Option<Map<String, Value>>,
}

/// What came of it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = TriedRule)]
pub(in crate::desk) struct Tried {
    /// The rule could be understood where it would stand.
    sound: bool,
    /// What is wrong with it: `{path, rule, position, code, message, remedy}`.
    #[schema(value_type = Vec<Object>)]
    problems: Vec<Problem>,
    /// It is a yes or no; otherwise it is a value.
    boolean: bool,
    /// What it came out as, wherever it ran: `{path, result, because, unknown}`. Nothing: what it stands on is hidden or empty.
    #[schema(value_type = Vec<Object>)]
    results: Vec<Value>,
}

impl Desk {
    /// Tries a rule on a draft.
    pub(in crate::desk) async fn try_rule(&self, actor: Actor, id: DraftId, trial: Trial) -> Result<Tried> {
        actor.may(Permission::ReadProposals)?;
        if trial.rule.trim().is_empty() || trial.rule.len() > LONGEST_RULE {
            return Err(Error::invalid("rule_length", format!("`rule` has 1 to {LONGEST_RULE} bytes")));
        }
        let now = At::from(self.clock.now());
        self.db
            .read(move |conn| {
                let opened = drafts::opened(conn, &id, None)?;
                let package = opened.package()?;
                let case = trial.sample(&opened.cases(), now)?;
                trial.run(&package, &case)
            })
            .await
    }
}

impl Trial {
    fn sample(&self, known: &[Value], now: At) -> Result<Case> {
        let bad = |cause: String| Error::invalid("bad_case", format!("the sample cannot be read: {cause}"));
        let mut sample = match &self.case {
            Some(name) => {
                known.iter().find(|case| engine::case_name(case) == Some(name)).cloned().ok_or_else(|| {
                    Error::invalid(
                        "case_unknown",
                        format!("there is no case {name:?}; GET …/cases lists them"),
                    )
                })?
            }
            None => {
                json!({ "name": "sample", "context": {}, "answers": {}, "expect": { "verdict": "valid" } })
            }
        };
        if let Some(answers) = &self.answers {
            sample["answers"] = answers.clone();
        }
        if let Some(non_answers) = &self.non_answers {
            sample["non_answers"] = non_answers.clone();
        }
        if let Some(given) = &self.review_answers {
            sample["review_answers"] = json!(given);
        }
        let context =
            sample["context"].as_object_mut().ok_or_else(|| bad("`context` is no object".to_owned()))?;
        context.extend(self.context.clone().unwrap_or_default());
        let local =
            FixedOffset::east_opt(5 * 3600).map(|offset| offset.from_utc_datetime(&now.utc().naive_utc()));
        context.entry("finished_at").or_insert_with(|| json!(local));
        cases::read(&sample).map_err(bad)
    }

    fn run(&self, package: &Package, case: &Case) -> Result<Tried> {
        let on = self.on.as_deref().filter(|on| *on != "form");
        let first = match compile(&with_constraint(package, on, &self.rule)?) {
            Ok(form) => return Ok(Tried { boolean: true, ..told(&form, case) }),
            Err(problems) => problems,
        };
        for kind in ["number", "string", "boolean", "array"] {
            if let Ok(form) = compile(&with_calculation(package, on, &self.rule, kind)?) {
                return Ok(told(&form, case));
            }
        }
        Ok(Tried { sound: false, problems: first, boolean: false, results: Vec::new() })
    }
}

fn told(form: &Form, case: &Case) -> Tried {
    let is_ours = |rule: &Explained| {
        rule.code.as_deref() == Some(CODE) || rule.pointer.ends_with(&format!("/{NAME}/x-calculate"))
    };
    let tell = |rule: Explained| {
        let path = rule.path.strip_suffix(NAME).map_or(rule.path.as_str(), |row| row.trim_end_matches('.'));
        json!({ "path": path, "result": rule.result, "because": rule.because, "unknown": rule.unknown })
    };
    let results = cases::explain(form, case).rules.into_iter().filter(is_ours).map(tell).collect();
    Tried { sound: true, problems: Vec::new(), boolean: false, results }
}

/// Where something stands in a definition: the way to it, by member.
fn way_to(definition: &Value, name: &str) -> Option<Vec<String>> {
    let rows = definition.pointer("/items/properties");
    let inside = definition.get("properties").map(|it| (it, vec!["properties".to_owned()]));
    let inside = inside.or(rows.map(|it| (it, vec!["items".to_owned(), "properties".to_owned()])));
    let (properties, way) = inside?;
    let properties = properties.as_object()?;
    if properties.contains_key(name) {
        return Some([way, vec![name.to_owned()]].concat());
    }
    properties.iter().find_map(|(inner, fields)| {
        let rest = way_to(fields, name)?;
        Some([way.clone(), vec![inner.clone()], rest].concat())
    })
}

fn at<'v>(definition: &'v mut Value, way: &[String]) -> Option<&'v mut Map<String, Value>> {
    way.iter().try_fold(definition, |at, step| at.get_mut(step)).and_then(Value::as_object_mut)
}

fn found(package: &Package, name: &str) -> Result<Vec<String>> {
    way_to(&package.definition, name).ok_or_else(|| {
        Error::invalid(
            "on_unknown",
            format!("the draft has no question, repeat or section {name:?}; leave `on` out for the form"),
        )
    })
}

/// The package with the rule as a constraint where it would stand; on a repeat, on each of its rows.
fn with_constraint(package: &Package, on: Option<&str>, rule: &str) -> Result<Package> {
    let mut tried = package.clone();
    let mut way = on.map_or(Ok(Vec::new()), |name| found(package, name))?;
    if at(&mut tried.definition, &way)
        .is_some_and(|it| it.get("items").is_some_and(|rows| rows.get("properties").is_some()))
    {
        way.push("items".to_owned());
    }
    let constraint = json!({ "code": CODE, "rule": rule, "message": "Tried.", "level": "info" });
    if let Some(fields) = at(&mut tried.definition, &way) {
        let list = fields.entry("x-constraints").or_insert_with(|| json!([]));
        list.as_array_mut().map(|list| list.push(constraint)).unwrap_or_default();
    }
    label(&mut tried, &format!("!{CODE}"));
    Ok(tried)
}

/// The package with the rule as something worked out, beside what it would stand on.
fn with_calculation(package: &Package, on: Option<&str>, rule: &str, kind: &str) -> Result<Package> {
    let mut tried = package.clone();
    let sections = package.definition.get("properties").and_then(Value::as_object);
    // In a section that is always shown, so that it runs.
    let shown = |(_, fields): &(&String, &Value)| fields.get("x-relevant").is_none();
    let place = sections
        .and_then(|all| all.iter().find(shown).or_else(|| all.iter().next()))
        .map(|(name, _)| name.clone());
    let mut way = match on {
        Some(name) => found(package, name)?,
        None => vec!["properties".to_owned(), place.unwrap_or_default()],
    };
    let holds = |it: &Map<String, Value>| it.contains_key("properties");
    if at(&mut tried.definition, &way).is_some_and(|it| !holds(it)) {
        match at(&mut tried.definition, &way)
            .is_some_and(|it| it.get("items").is_some_and(|rows| rows.get("properties").is_some()))
        {
            true => way.push("items".to_owned()),
            false => way.truncate(way.len().saturating_sub(2)),
        }
    }
    let mut question = json!({
        "type": kind, "title": "Tried", "readOnly": true, "x-calculate": rule, "x-sensitivity": "internal", "x-purpose": "tried",
        "x-retention": "none",
    });
    if kind == "array" {
        question["items"] = json!({ "type": "string" });
    }
    if let Some(properties) =
        at(&mut tried.definition, &way).and_then(|it| it.get_mut("properties")?.as_object_mut())
    {
        properties.insert(NAME.to_owned(), question);
    }
    label(&mut tried, NAME);
    Ok(tried)
}

/// A text in every language, so that none is missing.
fn label(package: &mut Package, key: &str) {
    for texts in package.i18n.values_mut() {
        if let Some(labels) = texts.get_mut("labels").and_then(Value::as_object_mut) {
            labels.insert(key.to_owned(), json!("…"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package() -> Package {
        let definition = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Head count", "type": "object", "additionalProperties": false,
            "x-form": {"form": "heads", "version": 1, "languages": [{"code": "en", "dir": "ltr"}]},
            "properties": {"a1": {"type": "object", "title": "Count", "additionalProperties": false, "properties": {
                "girls": {"type": "integer", "minimum": 0, "title": "Girls"},
                "rooms": {"type": "array", "title": "Rooms", "maxItems": 9, "x-key": "door", "items": {"type": "object", "additionalProperties": false,
                    "properties": {"door": {"type": "string", "maxLength": 9, "title": "Door"}, "beds": {"type": "integer", "title": "Beds"}}}}
            }}}
        });
        Package::assemble(definition, Map::new(), &[], &[])
    }

    fn tried(rule: &str, on: Option<&str>) -> Tried {
        let trial: Trial = serde_json::from_value(json!({
            "rule": rule, "on": on, "answers": {"girls": 3, "rooms": [{"door": "a", "beds": 2}, {"door": "b"}]},
            "context": {"finished_at": "2026-11-20T12:00:00+05:00"}
        }))
        .unwrap();
        let case = trial.sample(&[], At::from_micros(0)).unwrap();
        trial.run(&package(), &case).unwrap()
    }

    #[test]
    fn a_rule_says_what_it_comes_to_and_why() {
        let yes = tried("girls > 2", None);
        assert!(yes.sound && yes.boolean, "{yes:?}");
        assert_eq!(yes.results[0]["result"], true);
        assert_eq!(yes.results[0]["because"][0]["path"], "girls");

        let value = tried("girls * 2", None);
        assert!(value.sound && !value.boolean, "{value:?}");
        assert_eq!(value.results[0]["result"], 6);
    }

    #[test]
    fn a_rule_on_rows_runs_in_each_and_says_where_it_is_unknown() {
        let rows = tried("beds < 4", Some("rooms"));

        assert_eq!(rows.results.len(), 2, "{rows:?}");
        assert_eq!(rows.results[0]["result"], true);
        assert!(rows.results[1]["result"].is_null());
        assert_eq!(rows.results[1]["unknown"][0]["path"], "rooms[1].beds");
    }

    #[test]
    fn a_rule_on_what_the_reviewer_answers_is_tried_at_review() {
        let mut package = package();
        package.definition["properties"]["a1"]["properties"]["credible"] =
            json!({"type": "boolean", "title": "Is it credible?", "x-asked-of": "reviewer"});
        let result = |given: Value| {
            let trial: Trial = serde_json::from_value(json!({
                "rule": "credible", "answers": {"girls": 3}, "review_answers": given, "context": {"finished_at": "2026-11-20T12:00:00+05:00"}
            }))
            .unwrap();
            trial.run(&package, &trial.sample(&[], At::from_micros(0)).unwrap()).unwrap().results[0]["result"]
                .clone()
        };

        assert_eq!(result(Value::Null), Value::Null, "on the phone it is unknown");
        assert_eq!(result(json!({"credible": false})), false);
    }

    #[test]
    fn a_rule_nobody_understands_is_told_as_the_form_check_tells_it() {
        let wrong = tried("girl > 2", None);

        assert!(!wrong.sound);
        assert!(wrong.problems.iter().any(|problem| problem.remedy.contains("girls")), "{wrong:?}");
    }
}
