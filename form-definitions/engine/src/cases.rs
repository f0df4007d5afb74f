//! Cases: answers with what they must lead to, as data (`form-definitions/<form>/cases/*.json`).
//!
//! The engine, the server's tests and the phone run the same cases; a case that differs anywhere is a mistake somewhere.

use crate::context::{Areas, Context, Point, User, Visit};
use crate::explanation::Explanation;
use crate::form::Form;
use crate::outcome::{Finding, Outcome, Verdict, Violation};
use chrono::{DateTime, FixedOffset};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt::Debug;

/// One case.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What the case is called.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub note: String,
    /// The circumstances.
    pub context: Circumstances,
    /// The answers.
    pub answers: Value,
    /// Reasons given instead of answers.
    #[serde(default)]
    pub non_answers: Option<Value>,
    /// What the reviewer answered about it: path -> answer. With it the case is one of the review, even where nothing is answered yet: it
    /// tells what is found in both together, and an answer the reviewer owes is a violation `required`.
    #[serde(default)]
    pub review_answers: Option<Map<String, Value>>,
    /// What they must lead to.
    pub expect: Expectation,
}

/// The circumstances of a case, as it writes them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Circumstances {
    /// When the form was opened.
    #[serde(default)]
    pub started_at: Option<DateTime<FixedOffset>>,
    /// When it was finished.
    pub finished_at: DateTime<FixedOffset>,
    /// The device's fix.
    #[serde(default)]
    pub location: Option<Point>,
    /// Who filled it in.
    #[serde(default)]
    pub user: User,
    /// The district of the visit.
    #[serde(default)]
    pub district: Option<String>,
    /// Its policing zone.
    #[serde(default)]
    pub zone: Option<String>,
    /// The places the visit lies in, widest first.
    #[serde(default)]
    pub area_chain: Vec<String>,
    /// The last accepted submission.
    #[serde(default)]
    pub prev: Option<Value>,
    /// The facility.
    #[serde(default)]
    pub facility: Option<Value>,
    /// Areas every point lies in; absent when no boundaries are known.
    #[serde(default)]
    pub inside: Option<Vec<String>>,
}

/// What a case must lead to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The verdict.
    pub verdict: Verdict,
    /// All violations, in any order.
    #[serde(default)]
    pub violations: Vec<ExpectedViolation>,
    /// At least these calculated values; `null` for one that must stay empty.
    #[serde(default)]
    pub calculated: Map<String, Value>,
    /// All findings, in any order.
    #[serde(default)]
    pub findings: Vec<ExpectedFinding>,
    /// All that is hidden (questions, repeats, sections), in any order, where the case cares.
    #[serde(default)]
    pub hidden: Option<BTreeSet<String>>,
    /// At least these scores and parts of scores; `null` for one there must not be.
    #[serde(default)]
    pub scores: Map<String, Value>,
}

/// A violation that must be there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedViolation {
    /// Its code.
    pub code: String,
    /// Where it stands.
    #[serde(default)]
    pub path: String,
    /// Its level, where the case cares.
    #[serde(default)]
    pub level: Option<crate::Level>,
}

/// A finding that must be there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedFinding {
    /// Its code.
    pub code: String,
    /// The key of its row.
    #[serde(default)]
    pub row: Option<String>,
    /// Whether it may be disclosed, where the case cares.
    #[serde(default)]
    pub disclose: Option<bool>,
    /// Whether it is provisional, where the case cares.
    #[serde(default)]
    pub provisional: Option<bool>,
}

/// The areas of a case: every point lies in all of those named, and in no other.
struct Inside(Option<Vec<String>>);

impl Areas for Inside {
    fn contains(&self, _lat: f64, _lon: f64, code: &str) -> Option<bool> {
        self.0.as_ref().map(|areas| areas.iter().any(|area| area == code))
    }
}

/// Reads a case.
///
/// # Errors
/// What is wrong with the way it is written.
pub fn read(case: &Value) -> Result<Case, String> {
    Case::deserialize(case).map_err(|error| error.to_string())
}

/// Runs a case as written and lists every difference between what it expects and what comes out; empty when all is well.
pub fn run(form: &Form, case: &Value) -> Vec<String> {
    match read(case) {
        Ok(case) => check(form, &case),
        Err(error) => vec![format!("the case cannot be read: {error}")],
    }
}

/// Every difference between what a case expects and what comes out.
pub fn check(form: &Form, case: &Case) -> Vec<String> {
    differences(&case.expect, &evaluate(form, case))
}

/// The circumstances of a case, with its areas.
pub struct Scene {
    circumstances: Circumstances,
    areas: Inside,
}

impl Scene {
    /// As an evaluation takes them.
    pub fn as_context(&self) -> Context<'_> {
        let circumstances = &self.circumstances;
        let visit = Visit {
            started_at: circumstances.started_at,
            finished_at: circumstances.finished_at,
            location: circumstances.location,
            district: circumstances.district.clone(),
            zone: circumstances.zone.clone(),
        };
        Context {
            area_chain: circumstances.area_chain.clone(),
            prev: circumstances.prev.clone(),
            facility: circumstances.facility.clone(),
            ..Context::new(visit, circumstances.user.clone(), &self.areas)
        }
    }
}

/// The circumstances a case is evaluated in.
pub fn context(case: &Case) -> Scene {
    Scene { areas: Inside(case.context.inside.clone()), circumstances: case.context.clone() }
}

/// What a case leads to.
pub fn evaluate(form: &Form, case: &Case) -> Outcome {
    let (scene, non_answers) = (context(case), case.non_answers.as_ref());
    match &case.review_answers {
        Some(given) => form.review(&case.answers, non_answers, given, &scene.as_context()).outcome,
        None => form.evaluate(&case.answers, non_answers, &scene.as_context()),
    }
}

/// What a case leads to, and why, rule by rule.
pub fn explain(form: &Form, case: &Case) -> Explanation {
    let (scene, non_answers) = (context(case), case.non_answers.as_ref());
    match &case.review_answers {
        Some(given) => form.explain_review(&case.answers, non_answers, given, &scene.as_context()),
        None => form.explain(&case.answers, non_answers, &scene.as_context()),
    }
}

fn differences(expected: &Expectation, outcome: &Outcome) -> Vec<String> {
    let mut differences = Vec::new();
    if outcome.verdict() != expected.verdict {
        differences.push(format!("verdict: expected {:?}, got {:?}", expected.verdict, outcome.verdict()));
    }
    match_up(
        "violation",
        &expected.violations,
        &outcome.violations,
        is_violation,
        spell_violation,
        &mut differences,
    );
    match_up("finding", &expected.findings, &outcome.findings, is_finding, spell_finding, &mut differences);
    if let Some(expected) = &expected.hidden {
        let hidden: BTreeSet<String> = outcome.relevance.keys().cloned().collect();
        let spell = |paths: &BTreeSet<String>, others| {
            paths.difference(others).cloned().collect::<Vec<_>>().join(", ")
        };
        let (surplus, missing) = (spell(&hidden, expected), spell(expected, &hidden));
        if !(surplus.is_empty() && missing.is_empty()) {
            differences.push(format!("hidden: not expected: [{surplus}], expected but shown: [{missing}]"));
        }
    }
    for (path, value) in &expected.calculated {
        let got = outcome.calculated.get(path).unwrap_or(&Value::Null);
        if !is_same(value, got) {
            differences.push(format!("calculated {path}: expected {value}, got {got}"));
        }
    }
    for (name, value) in &expected.scores {
        part_differs(&format!("score {name}"), value, outcome.scores.get(name), &mut differences);
    }
    differences
}

/// Pairs what is expected with what came out; what is left on either side differs.
fn match_up<E: Debug, G>(
    what: &str,
    expected: &[E],
    got: &[G],
    is: fn(&E, &G) -> bool,
    spell: fn(&G) -> String,
    differences: &mut Vec<String>,
) {
    let mut left: Vec<&G> = got.iter().collect();
    for wanted in expected {
        match left.iter().position(|candidate| is(wanted, candidate)) {
            Some(place) => drop(left.remove(place)),
            None => differences.push(format!("missing {what}: {wanted:?}")),
        }
    }
    differences.extend(left.into_iter().map(|surplus| format!("unexpected {what}: {}", spell(surplus))));
}

fn is_violation(expected: &ExpectedViolation, got: &Violation) -> bool {
    expected.code == got.code
        && expected.path == got.path
        && expected.level.is_none_or(|level| level == got.level)
}

fn is_finding(expected: &ExpectedFinding, got: &Finding) -> bool {
    let flags = expected.disclose.is_none_or(|disclose| disclose == got.disclose)
        && expected.provisional.is_none_or(|provisional| provisional == got.provisional);
    flags && expected.code == got.code && expected.row == got.row
}

fn spell_violation(violation: &Violation) -> String {
    let message = violation.message.get("en").map_or("", String::as_str);
    format!("{} at {:?} ({:?}): {message}", violation.code, violation.path, violation.level)
}

fn spell_finding(finding: &Finding) -> String {
    let row = finding.row.as_deref().unwrap_or("form");
    format!("{} for {row} (disclose {}, provisional {})", finding.code, finding.disclose, finding.provisional)
}

/// An object is compared at least for what is named in it.
fn part_differs(path: &str, expected: &Value, got: Option<&Value>, differences: &mut Vec<String>) {
    let got = got.unwrap_or(&Value::Null);
    match (expected, got) {
        (Value::Object(named), Value::Object(got)) => {
            for (name, expected) in named {
                part_differs(&format!("{path}.{name}"), expected, got.get(name), differences);
            }
        }
        _ if is_same(expected, got) => {}
        _ => differences.push(format!("{path}: expected {expected}, got {got}")),
    }
}

fn is_same(expected: &Value, got: &Value) -> bool {
    match (expected.as_f64(), got.as_f64()) {
        (Some(expected), Some(got)) => expected == got,
        _ => match (expected, got) {
            (Value::Object(expected), Value::Object(got)) => {
                expected.len() == got.len()
                    && expected
                        .iter()
                        .all(|(name, value)| got.get(name).is_some_and(|got| is_same(value, got)))
            }
            _ => expected == got,
        },
    }
}
