//! One visit, judged twice: what differs, as counts.

use std::collections::{BTreeMap, BTreeSet};

use form_engine::{Finding, Level, Outcome, Verdict, Violation};
use ring::hmac;
use serde_json::{Map, Value};

use super::breaking::{Broken, BrokenVisit};
use super::tally::{Change, Example, Mark, NOWHERE, Shift, Tally, Unanswered};
use crate::forms::{Outline, Part, Sort};
use crate::submissions::Rejudged;

/// A visit that took longer than this says nothing about how long an answer takes.
const LONGEST_VISIT_SECONDS: i64 = 8 * 3600;

/// Scores are compared in thousandths.
const THOUSANDTHS: f64 = 1000.0;

/// What is asked in a form, question by question.
pub(super) struct Asked<'o>(Vec<&'o Part>);

impl<'o> Asked<'o> {
    pub(super) fn of(outline: &'o Outline) -> Asked<'o> {
        Asked(outline.parts().filter(|part| part.sort == Sort::Question).collect())
    }

    /// What an outcome asks: every question as often as it is asked, and where it has no answer.
    fn look(&self, outcome: &Outcome) -> Look {
        let mut look = Look::default();
        for part in &self.0 {
            let is_hidden = |name: &str| outcome.relevance.contains_key(name);
            if part.section.as_deref().is_some_and(is_hidden) {
                continue;
            }
            let inside = match &part.section {
                Some(section) => outcome.answers.get(section),
                None => Some(&outcome.answers),
            };
            walk(part, &part.within, inside, "", outcome, &mut look);
        }
        look
    }
}

/// What was asked in a visit.
#[derive(Default)]
struct Look {
    asked: i64,
    answered: i64,
    /// Paths that were asked and have neither an answer nor a reason for none, with their question.
    open: BTreeMap<String, String>,
    /// Questions that have an answer.
    answers: BTreeSet<String>,
}

fn walk(
    part: &Part,
    within: &[String],
    at: Option<&Value>,
    prefix: &str,
    outcome: &Outcome,
    look: &mut Look,
) {
    let Some((repeat, deeper)) = within.split_first() else {
        let path = format!("{prefix}{}", part.name);
        if outcome.relevance.contains_key(&path) {
            return;
        }
        look.asked += 1;
        if at.is_some_and(|at| at.get(&part.name).is_some()) {
            look.answered += 1;
            look.answers.insert(part.name.clone());
        } else if !outcome.non_answers.contains_key(&path) {
            look.open.insert(path, part.name.clone());
        }
        return;
    };
    let rows = at.and_then(|at| at.get(repeat)).and_then(Value::as_array);
    for (n, row) in rows.into_iter().flatten().enumerate() {
        walk(part, deeper, Some(row), &format!("{prefix}{repeat}[{n}]."), outcome, look);
    }
}

/// Compares visits judged by two releases.
pub(super) struct Comparing<'o> {
    pub(super) before: Asked<'o>,
    pub(super) after: Asked<'o>,
    pub(super) key: hmac::Key,
}

impl Comparing<'_> {
    /// Counts what differs in a visit.
    pub(super) fn count(&self, visit: &Rejudged, tally: &mut Tally) {
        let district = visit.district.clone().unwrap_or_else(|| NOWHERE.to_owned());
        let (was, is) = (word(visit.before.verdict()), word(visit.after.verdict()));
        let seen = Seen { code: self.code(visit.id.as_str()), district, was, is };
        let mut one = Tally { visits: 1, mark: Mark::of(visit.mark), ..Tally::default() };
        one.verdicts.entry(format!("{was}>{is}")).or_default().insert(seen.district.clone(), 1);
        let violations = [&visit.before, &visit.after].map(|outcome| broken(&outcome.violations));
        one.violations = seen.changes(violations);
        let findings = [&visit.before, &visit.after].map(|outcome| found(&outcome.findings));
        one.findings = seen.changes(findings);
        self.questions(visit, &mut one);
        scores(&visit.before.scores, &visit.after.scores, &mut one);
        calculated(&visit.before.calculated, &visit.after.calculated, &mut one);
        tally.add(one);
    }

    /// What a visit breaks by the proposed release and did not before; none: nothing.
    pub(super) fn broken(&self, visit: &Rejudged) -> Option<BrokenVisit> {
        let errors = |outcome: &Outcome| -> BTreeSet<Broken> {
            let errors = outcome.violations.iter().filter(|violation| violation.level == Level::Error);
            let named = errors.map(|it| Broken {
                rule: it.code.clone(),
                question: it.question.clone(),
                text: it.rule.clone(),
            });
            named.collect()
        };
        let before = errors(&visit.before);
        let known = |it: &Broken| before.iter().any(|old| old.rule == it.rule && old.question == it.question);
        let rules: BTreeSet<Broken> = errors(&visit.after).into_iter().filter(|it| !known(it)).collect();
        let (was, is) = (self.before.look(&visit.before), self.after.look(&visit.after));
        let left_out: BTreeSet<String> = was.answers.difference(&is.answers).cloned().collect();
        (!rules.is_empty() || !left_out.is_empty()).then(|| BrokenVisit {
            code: self.code(visit.id.as_str()),
            submission: visit.id.clone(),
            rules,
            left_out,
        })
    }

    /// A code by which an example can be told from others; only who has the key could make it of an id.
    fn code(&self, id: &str) -> String {
        hex::encode(hmac::sign(&self.key, id.as_bytes()).as_ref().get(..6).unwrap_or_default())
    }

    fn questions(&self, visit: &Rejudged, one: &mut Tally) {
        let (was, is) = (self.before.look(&visit.before), self.after.look(&visit.after));
        one.more_questions.insert(is.asked - was.asked, 1);
        if let Some(pace) = pace(visit, was.answered) {
            one.pace.insert(pace, 1);
        }
        for name in was.answers.difference(&is.answers) {
            one.left_out.insert(name.clone(), 1);
        }
        // In a visit a question counts once, in however many rows.
        let newly: BTreeSet<&String> =
            is.open.iter().filter(|(path, _)| !was.open.contains_key(*path)).map(|(_, name)| name).collect();
        let no_longer: BTreeSet<&String> =
            was.open.iter().filter(|(path, _)| !is.open.contains_key(*path)).map(|(_, name)| name).collect();
        let (needed, needs) = (required(&visit.before.violations), required(&visit.after.violations));
        for name in newly {
            unanswered(one, name).asked = 1;
        }
        for name in no_longer {
            unanswered(one, name).no_longer = 1;
        }
        for name in needs.difference(&needed) {
            unanswered(one, name).required = 1;
        }
    }
}

fn unanswered<'t>(one: &'t mut Tally, name: &str) -> &'t mut Unanswered {
    one.unanswered.entry(name.to_owned()).or_default()
}

/// A visit as its examples show it.
struct Seen {
    code: String,
    district: String,
    was: &'static str,
    is: &'static str,
}

impl Seen {
    /// What changes, rule by rule: for each, everything about it that counts, before and after.
    fn changes(&self, [before, after]: [BTreeMap<String, Vec<String>>; 2]) -> BTreeMap<String, Change> {
        let rules: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let change = |rule: &&String| match (before.get(*rule), after.get(*rule)) {
            (Some(was), Some(is)) => {
                Change { before: 1, after: 1, altered: u64::from(was != is), ..Change::default() }
            }
            (None, _) => self.change(true),
            (_, None) => self.change(false),
        };
        rules.iter().map(|rule| ((*rule).clone(), change(rule))).collect()
    }

    fn change(&self, gained: bool) -> Change {
        let mut change = Change { before: u64::from(!gained), after: u64::from(gained), ..Change::default() };
        let by_district = if gained { &mut change.gained } else { &mut change.lost };
        by_district.insert(self.district.clone(), 1);
        let example = Example {
            district: self.district.clone(),
            gained,
            before: self.was.to_owned(),
            after: self.is.to_owned(),
        };
        change.note(self.code.clone(), example);
        change
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Valid => "valid",
        Verdict::Warnings => "warnings",
        Verdict::Invalid => "invalid",
    }
}

/// Violations by code and question; a code alone would make one rule of all questions that must be answered.
fn broken(violations: &[Violation]) -> BTreeMap<String, Vec<String>> {
    let mut rules: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for violation in violations {
        let rule = match &violation.question {
            Some(question) => format!("{} {question}", violation.code),
            None => violation.code.clone(),
        };
        rules.entry(rule).or_default().push(format!("{:?}", violation.level));
    }
    rules
}

/// Findings by code.
fn found(findings: &[Finding]) -> BTreeMap<String, Vec<String>> {
    let mut rules: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for finding in findings {
        let weight = format!("{:?} {}", finding.severity, finding.provisional);
        rules.entry(finding.code.clone()).or_default().push(weight);
    }
    rules
}

/// Questions that must be answered and are not.
fn required(violations: &[Violation]) -> BTreeSet<String> {
    let missing = violations.iter().filter(|violation| violation.code == "required");
    missing.filter_map(|violation| violation.question.clone()).collect()
}

/// How long an answer took, in tenths of a second: the phone sends when a visit began and ended, and nothing finer.
fn pace(visit: &Rejudged, answered: i64) -> Option<u32> {
    let seconds = (visit.ended - visit.began?).num_seconds();
    let is_plain = (1..=LONGEST_VISIT_SECONDS).contains(&seconds) && answered > 0;
    is_plain.then(|| u32::try_from(seconds * 10 / answered).ok()).flatten()
}

fn scores(before: &Map<String, Value>, after: &Map<String, Value>, one: &mut Tally) {
    let (was, is) = (totals(before), totals(after));
    let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    for name in names {
        let shift = match (was.get(name), is.get(name)) {
            (Some(was), Some(is)) if was == is => continue,
            (Some(was), Some(is)) => Shift {
                up: u64::from(is > was),
                down: u64::from(is < was),
                by: BTreeMap::from([(is - was, 1)]),
                ..Shift::default()
            },
            (None, _) => Shift { appeared: 1, ..Shift::default() },
            (_, None) => Shift { vanished: 1, ..Shift::default() },
        };
        one.scores.insert(name.clone(), shift);
    }
}

/// Scores and their domains, in thousandths.
fn totals(scores: &Map<String, Value>) -> BTreeMap<String, i64> {
    let thousandths = |value: &Value| value.as_f64().map(|number| (number * THOUSANDTHS).round() as i64);
    let mut totals = BTreeMap::new();
    for (name, score) in scores {
        totals.extend(score.get("total").and_then(thousandths).map(|total| (name.clone(), total)));
        let domains = score.get("domains").and_then(Value::as_object).into_iter().flatten();
        totals.extend(
            domains.filter_map(|(domain, value)| Some((format!("{name}.{domain}"), thousandths(value)?))),
        );
    }
    totals
}

fn calculated(before: &Map<String, Value>, after: &Map<String, Value>, one: &mut Tally) {
    let differ = before.iter().filter(|(path, value)| after.get(*path) != Some(*value)).map(|(path, _)| path);
    let newly = after.keys().filter(|path| !before.contains_key(*path));
    for path in differ.chain(newly) {
        one.calculated.insert(question(path), 1);
    }
}

/// The question a path leads to.
fn question(path: &str) -> String {
    let last = path.rsplit('.').next().unwrap_or(path);
    last.split('[').next().unwrap_or(last).to_owned()
}
