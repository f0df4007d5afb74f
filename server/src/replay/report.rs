//! The report: what a proposed release would have meant, in numbers. It holds no answer, no position, no name and no id, and of
//! districts only counts that could be nobody in particular. Nothing in it depends on when it was made or by whom.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::model::{Law, Over};
use super::tally::{ByDistrict, Change, NOWHERE, Shift, Tally, median};
use crate::db::At;
use crate::forms::{Outline, Release, Sort};
use crate::submissions::SMALL_CELL;

/// What a report was made from. Two reports with the same inputs are the same bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReplayInputs)]
pub struct Inputs {
    /// The form.
    pub form: String,
    /// Hex SHA-256 of the proposed release.
    pub package: String,
    /// The release it is compared with.
    pub against: u32,
    /// Hex SHA-256 of that release.
    pub against_hash: String,
    /// Over which submissions.
    pub over: Over,
    /// By which values of the law the proposed release judged; left out where it was that of each visit's day.
    #[serde(default, skip_serializing_if = "Law::is_of_the_day")]
    pub law: Law,
    /// As they stood at this instant.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub through: At,
    /// The edition of the boundaries they were located by.
    pub boundaries: Option<String>,
    /// How many visits were judged.
    pub visits: u64,
    /// Names these visits and everything they were judged by but the rules: filer, last visit, facility, district.
    pub mark: String,
}

/// What a proposed release would have meant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReplayReport)]
pub struct Report {
    /// What it was made from.
    pub inputs: Inputs,
    /// Visits by their verdict before and after.
    pub verdicts: Vec<VerdictChange>,
    /// Findings that change, by rule.
    pub findings: Vec<RuleChange>,
    /// Violations that change, by rule.
    pub violations: Vec<RuleChange>,
    /// Questions that are newly without an answer, or no longer.
    pub unanswered: Vec<UnansweredQuestion>,
    /// How much longer a visit takes.
    pub time: TimeChange,
    /// Scores that change.
    pub scores: Vec<ScoreChange>,
    /// What changes in tables of what was filed.
    pub exports: Exports,
}

/// Visits with one verdict before and one after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReplayVerdicts)]
pub struct VerdictChange {
    /// By the release in force.
    pub before: String,
    /// By the proposed one.
    pub after: String,
    /// How many, and where.
    pub visits: Counted,
}

/// A count, and the districts in which it is not small. The rest is put together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReplayCount, example = json!({ "visits": 31, "districts": { "PK226": 27 }, "elsewhere": 4 }))]
pub struct Counted {
    /// Visits, in the whole province.
    pub visits: u64,
    /// By district, where there are five or more.
    pub districts: BTreeMap<String, u64>,
    /// Everywhere else together.
    pub elsewhere: u64,
}

/// How a rule changes what is said of visits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReplayRule)]
pub struct RuleChange {
    /// The code of the rule, or of what is built in (`required`).
    pub rule: String,
    /// The question it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// Visits that have it by the release in force.
    pub before: u64,
    /// Visits that have it by the proposed one.
    pub after: u64,
    /// Visits that have it only by the proposed one.
    pub gained: Counted,
    /// Visits that have it only by the release in force.
    pub lost: Counted,
    /// Visits that have it by both, but as grave, as certain or as often as before.
    pub altered: u64,
    /// A few of the visits that change.
    pub examples: Vec<ExampleVisit>,
}

/// A visit that changes, and nothing that was answered in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReplayExample)]
pub struct ExampleVisit {
    /// Tells it from other examples, in every report alike; it leads to nobody.
    pub code: String,
    /// Its district, where five or more visits change so.
    pub district: Option<String>,
    /// Whether it gains what the rule says, or loses it.
    pub gained: bool,
    /// Its verdict before.
    pub before: String,
    /// Its verdict after.
    pub after: String,
}

/// A question without an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReplayUnanswered)]
pub struct UnansweredQuestion {
    /// The question.
    pub question: String,
    /// What people read, in English.
    pub label: Option<String>,
    /// Visits in which it must be answered, is not, and need not have been.
    pub required: u64,
    /// Visits in which it is newly asked and has no answer.
    pub asked: u64,
    /// Visits in which it was asked without an answer, and is no longer.
    pub no_longer: u64,
}

/// How much longer a visit takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReplayTime)]
pub struct TimeChange {
    /// How many more questions are asked in the middle one of all visits.
    pub questions_more: i64,
    /// How long an answer takes in the middle one of the visits, in seconds. Phones send when a visit began and ended, and
    /// not how long each question took: this is the length of the visit over the number of answers.
    pub seconds_per_answer: Option<f64>,
    /// How many visits that rests on.
    pub visits_timed: u64,
    /// How many more minutes the middle one of all visits takes.
    pub minutes_more: Option<f64>,
}

/// How a score changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReplayScore)]
pub struct ScoreChange {
    /// The score, or a domain of it: `overall`, `overall.health`.
    pub score: String,
    /// Visits in which it rises.
    pub up: u64,
    /// Visits in which it falls.
    pub down: u64,
    /// Visits that have it only by the proposed release.
    pub appeared: u64,
    /// Visits that have it only by the release in force.
    pub vanished: u64,
    /// By how much it changes in the middle one of those in which it changes.
    pub by: Option<f64>,
}

/// What changes in tables of what was filed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReplayExports)]
pub struct Exports {
    /// Columns that come.
    pub columns_added: Vec<String>,
    /// Columns that get no further values; what they hold stays.
    pub columns_removed: Vec<String>,
    /// Columns that come from calculations, and in how many visits their value differs.
    pub values_changed: BTreeMap<String, u64>,
    /// Columns whose answers were given and are no longer taken, and in how many visits.
    pub answers_left_out: BTreeMap<String, u64>,
}

impl Report {
    pub(super) fn of(inputs: Inputs, tally: &Tally, before: &Release, after: &Release) -> Report {
        Report {
            inputs,
            verdicts: verdicts(tally),
            findings: rules(&tally.findings),
            violations: rules(&tally.violations),
            unanswered: unanswered(tally, &after.outline, &before.outline),
            time: time(tally),
            scores: tally.scores.iter().map(|(name, shift)| score(name, shift)).collect(),
            exports: exports(tally, &before.outline, &after.outline),
        }
    }
}

impl Counted {
    fn of(by_district: &ByDistrict) -> Counted {
        let is_shown = |district: &str, count: u64| district != NOWHERE && count >= SMALL_CELL;
        let shown = by_district.iter().filter(|(district, count)| is_shown(district, **count));
        let districts: BTreeMap<String, u64> =
            shown.map(|(district, count)| (district.clone(), *count)).collect();
        let visits = by_district.values().sum();
        Counted { visits, elsewhere: visits - districts.values().sum::<u64>(), districts }
    }
}

fn verdicts(tally: &Tally) -> Vec<VerdictChange> {
    let change = |(way, by_district): (&String, &ByDistrict)| {
        let (before, after) = way.split_once('>')?;
        Some(VerdictChange {
            before: before.to_owned(),
            after: after.to_owned(),
            visits: Counted::of(by_district),
        })
    };
    tally.verdicts.iter().filter_map(change).collect()
}

fn rules(changes: &BTreeMap<String, Change>) -> Vec<RuleChange> {
    changes
        .iter()
        .filter(|(_, change)| change.is_any())
        .map(|(rule, change)| rule_change(rule, change))
        .collect()
}

fn rule_change(rule: &str, change: &Change) -> RuleChange {
    let (rule, question) = match rule.split_once(' ') {
        Some((rule, question)) => (rule, Some(question.to_owned())),
        None => (rule, None),
    };
    let (gained, lost) = (Counted::of(&change.gained), Counted::of(&change.lost));
    let examples = change.examples.iter().map(|(code, example)| {
        let shown = if example.gained { &gained } else { &lost };
        ExampleVisit {
            code: code.clone(),
            district: shown.districts.contains_key(&example.district).then(|| example.district.clone()),
            gained: example.gained,
            before: example.before.clone(),
            after: example.after.clone(),
        }
    });
    RuleChange {
        rule: rule.to_owned(),
        question,
        before: change.before,
        after: change.after,
        altered: change.altered,
        examples: examples.collect(),
        gained,
        lost,
    }
}

fn unanswered(tally: &Tally, after: &Outline, before: &Outline) -> Vec<UnansweredQuestion> {
    let label = |name: &str| after.part(name).or_else(|| before.part(name))?.label.get("en").cloned();
    let all = tally.unanswered.iter();
    all.map(|(name, counts)| UnansweredQuestion {
        question: name.clone(),
        label: label(name),
        required: counts.required,
        asked: counts.asked,
        no_longer: counts.no_longer,
    })
    .collect()
}

fn time(tally: &Tally) -> TimeChange {
    let questions_more = median(&tally.more_questions).unwrap_or_default();
    let pace = median(&tally.pace).map(i64::from);
    TimeChange {
        questions_more,
        seconds_per_answer: pace.map(|tenths| tenths as f64 / 10.0),
        visits_timed: tally.pace.values().sum(),
        // Tenths of a second to tenths of a minute.
        minutes_more: pace.map(|tenths| (questions_more * tenths / 60) as f64 / 10.0),
    }
}

fn score(name: &str, shift: &Shift) -> ScoreChange {
    ScoreChange {
        score: name.to_owned(),
        up: shift.up,
        down: shift.down,
        appeared: shift.appeared,
        vanished: shift.vanished,
        by: median(&shift.by).map(|thousandths| thousandths as f64 / 1000.0),
    }
}

fn exports(tally: &Tally, before: &Outline, after: &Outline) -> Exports {
    let (had, has) = (columns(before), columns(after));
    let only =
        |these: &BTreeSet<String>, those: &BTreeSet<String>| these.difference(those).cloned().collect();
    Exports {
        columns_added: only(&has, &had),
        columns_removed: only(&had, &has),
        values_changed: tally.calculated.clone(),
        answers_left_out: tally.left_out.clone(),
    }
}

/// Every question as a table has it: with the repeats it stands in.
fn columns(outline: &Outline) -> BTreeSet<String> {
    let asked = outline.parts().filter(|part| matches!(part.sort, Sort::Question | Sort::Calculated));
    asked
        .map(|part| {
            let above = part.within.iter().map(String::as_str);
            above.chain([part.name.as_str()]).collect::<Vec<_>>().join(".")
        })
        .collect()
}
