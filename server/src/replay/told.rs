//! A report as a person at a terminal reads it.

use std::fmt::Write as _;

use super::report::{Counted, Report, RuleChange};
use crate::places;

/// Rules shown of each sort; the report has them all.
const SHOWN: usize = 40;

/// The report as a table.
pub fn table(report: &Report) -> String {
    let mut text = String::new();
    let inputs = &report.inputs;
    say(
        &mut text,
        &format!("{} visits of {}, against release {}", inputs.visits, inputs.form, inputs.against),
    );
    say(&mut text, &format!("  proposed {}", inputs.package));
    say(&mut text, &format!("  in force {}", inputs.against_hash));
    if !inputs.law.is_of_the_day() {
        say(&mut text, "  law      as if the proposed values had always been in force");
    }
    say(&mut text, &format!("  data     {} through {}", inputs.mark, inputs.through));
    verdicts(&mut text, report);
    rules(&mut text, "Findings", &report.findings);
    rules(&mut text, "Violations", &report.violations);
    unanswered(&mut text, report);
    time(&mut text, report);
    scores(&mut text, report);
    exports(&mut text, report);
    text
}

fn say(text: &mut String, line: &str) {
    let _ = writeln!(text, "{line}");
}

fn verdicts(text: &mut String, report: &Report) {
    say(text, "\nVerdicts (before → after)");
    for change in &report.verdicts {
        let place = if change.before == change.after { String::new() } else { districts(&change.visits) };
        let way = format!("{} → {}", change.before, change.after);
        say(text, &format!("  {way:<24}{:>8}{place}", change.visits.visits));
    }
}

fn rules(text: &mut String, title: &str, rules: &[RuleChange]) {
    if rules.is_empty() {
        say(text, &format!("\n{title}: none changes"));
        return;
    }
    say(
        text,
        &format!("\n{title:<36}{:>8}{:>8}{:>8}{:>8}{:>8}", "before", "after", "gained", "lost", "altered"),
    );
    for rule in rules.iter().take(SHOWN) {
        let name = match &rule.question {
            Some(question) => format!("{} ({question})", rule.rule),
            None => rule.rule.clone(),
        };
        let (gained, lost) = (rule.gained.visits, rule.lost.visits);
        let counts = format!("{:>8}{:>8}{gained:>8}{lost:>8}{:>8}", rule.before, rule.after, rule.altered);
        let counted = if gained >= lost { &rule.gained } else { &rule.lost };
        say(text, &format!("  {name:<34}{counts}{}", districts(counted)));
    }
    if rules.len() > SHOWN {
        say(text, &format!("  and {} further rules; --json has them all", rules.len() - SHOWN));
    }
}

/// Where it happens most.
fn districts(counted: &Counted) -> String {
    let mut shown: Vec<(&String, &u64)> = counted.districts.iter().collect();
    shown.sort_by(|(one, few), (other, many)| many.cmp(few).then(one.cmp(other)));
    let name =
        |code: &str| places::district(code).map_or_else(|| code.to_owned(), |(named, _)| named.name_en);
    let mut parts: Vec<String> =
        shown.iter().take(4).map(|(code, count)| format!("{} {count}", name(code))).collect();
    let told: u64 = shown.iter().take(4).map(|(_, count)| **count).sum();
    if !parts.is_empty() && counted.visits > told {
        parts.push(format!("elsewhere {}", counted.visits - told));
    }
    if parts.is_empty() { String::new() } else { format!("   {}", parts.join(", ")) }
}

fn unanswered(text: &mut String, report: &Report) {
    if report.unanswered.is_empty() {
        return;
    }
    say(
        text,
        &format!("\n{:<36}{:>8}{:>8}{:>10}", "Questions without an answer", "must", "asked", "no longer"),
    );
    for question in report.unanswered.iter().take(SHOWN) {
        let (must, asked) = (question.required, question.asked);
        say(text, &format!("  {:<34}{must:>8}{asked:>8}{:>10}", question.question, question.no_longer));
    }
}

fn time(text: &mut String, report: &Report) {
    let time = &report.time;
    let minutes = match (time.minutes_more, time.seconds_per_answer) {
        (Some(minutes), Some(seconds)) => {
            format!("{minutes:+.1} minutes, at {seconds:.1} s an answer in {} visits", time.visits_timed)
        }
        _ => "no visit says how long it took".to_owned(),
    };
    say(text, &format!("\nA visit asks {:+} questions in the median: {minutes}", time.questions_more));
}

fn scores(text: &mut String, report: &Report) {
    if report.scores.is_empty() {
        return;
    }
    say(
        text,
        &format!("\n{:<36}{:>8}{:>8}{:>8}{:>8}{:>10}", "Scores", "up", "down", "new", "gone", "median"),
    );
    for score in &report.scores {
        let by = score.by.map_or_else(String::new, |by| format!("{by:+.3}"));
        let counts = format!("{:>8}{:>8}{:>8}{:>8}", score.up, score.down, score.appeared, score.vanished);
        say(text, &format!("  {:<34}{counts}{by:>10}", score.score));
    }
}

fn exports(text: &mut String, report: &Report) {
    let exports = &report.exports;
    let listed = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    say(text, &format!("\nColumns that come: {}", listed(&exports.columns_added)));
    say(text, &format!("Columns without further values: {}", listed(&exports.columns_removed)));
    for (name, visits) in &exports.values_changed {
        say(text, &format!("  {name}: another value in {visits} visits"));
    }
    for (name, visits) in &exports.answers_left_out {
        say(text, &format!("  {name}: the answers of {visits} visits are no longer taken"));
    }
}
