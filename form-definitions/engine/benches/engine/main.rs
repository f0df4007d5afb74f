//! What the engine costs by itself, as the table "The engine alone" of docs/BENCHMARKS.md: `cargo bench -p form-engine`.
//!
//! A figure is what a tenth of many runs stay below: what it takes when nothing else wants the core. Other engines are given the same
//! answers in the same run: machines differ and are noisy, ratios less so.

#![allow(clippy::unwrap_used, reason = "in a benchmark, a panic is the report")]
#![allow(missing_docs, clippy::print_stdout, reason = "a program that prints a table")]

mod others;
mod questionnaires;

use form_engine::cases::{self, Case};
use form_engine::{Form, compile};
use questionnaires::Questionnaire;
use serde_json::{Map, Value, json};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Copies of a compiled form that are kept to see what one takes.
const COPIES: usize = 20;

fn main() {
    // Cargo passes `--bench`; anything else is the part to measure again and again, for a profiler.
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let forms = questionnaires::all();
    if let Some(name) = wanted {
        return again_and_again(&forms, &name);
    }
    println!("### The engine alone\n\n| | |\n|---|--:|");
    memory(&forms);
    compiling(&forms);
    evaluating(&forms);
    filling_in(&forms);
    others::compared(&forms);
}

fn row(what: &str, figure: &str) {
    println!("| {what} | {figure} |");
}

fn compiling(forms: &[Questionnaire]) {
    for form in forms {
        row(
            &format!("compile {}", form.name),
            &millis(quickly(21, || drop(black_box(compile(&form.package))))),
        );
    }
    let check = || {
        questionnaires::all()
            .iter()
            .map(|form| form.compiled().warnings().len() + form.package.hash().len())
            .sum::<usize>()
    };
    row(
        "`form check` of all three, files read, hash made",
        &millis(quickly(11, || {
            black_box(check());
        })),
    );
}

/// Resident memory that one more compiled form takes. Measured before anything else, and all are kept to the end: what is freed would be
/// used again and not be seen.
fn memory(forms: &[Questionnaire]) {
    let mut kept = Vec::new();
    for form in forms {
        kept.push(compile(&form.package));
        let before = resident();
        kept.extend((0..COPIES).map(|_| compile(&form.package)));
        let taken = (resident() - before) / COPIES as f64;
        row(&format!("memory of {} compiled", form.name), &mebibytes(taken));
    }
}

/// Bytes, as the kernel counts them.
fn resident() -> f64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0.0_f64) * 4096.0
}

/// What is evaluated: a name, the form, the case.
fn samples(forms: &[Questionnaire]) -> Vec<(String, Form, Case)> {
    let [inspection, toolkit, audit] =
        ["child-labour-inspection", "child-protection-toolkit", "shelter-audit"]
            .map(|name| forms.iter().find(|form| form.name == name).unwrap());
    let grown = |form: &Questionnaire, case: &str, list: &str, key: &str, rows: usize| {
        let case = form.case(case);
        Case { answers: questionnaires::grown(&case.answers, list, key, rows), ..case }
    };
    let largest = toolkit.largest_case();
    let children = |case: &str| grown(inspection, case, "children", "child_code", 10);
    let mut samples = vec![
        (format!("the toolkit's largest sample ({})", largest.name), toolkit.compiled(), largest),
        (
            "an inspection, 10 children at lawful work".to_owned(),
            inspection.compiled(),
            children("lawful-adolescent"),
        ),
        (
            "an inspection, 10 children of disputed age".to_owned(),
            inspection.compiled(),
            children("b3-disputed-age"),
        ),
        (
            "an inspection of a coal mine, 10 children".to_owned(),
            inspection.compiled(),
            children("b2-coal-mine"),
        ),
    ];
    samples.extend([100, 200, 400].map(|rows| {
        let case = grown(audit, "talks-one-in-ten", "roster", "ch_code", rows);
        (format!("an audit, {rows} children on the roster"), audit.compiled(), case)
    }));
    samples
}

fn evaluating(forms: &[Questionnaire]) {
    for (name, form, case) in samples(forms) {
        let scene = cases::context(&case);
        let context = scene.as_context();
        let outcome = form.evaluate(&case.answers, None, &context);
        let time = quickly(404, || drop(black_box(form.evaluate(&case.answers, None, &context))));
        let what = format!(
            "evaluate {name}: {} findings, {} violations, {} steps",
            outcome.findings.len(),
            outcome.violations.len(),
            outcome.cost
        );
        row(&what, &micros(time));
    }
}

/// One answer changed back and forth in a form that is being filled in.
fn filling_in(forms: &[Questionnaire]) {
    let changes = [
        ("an inspection, 10 children of disputed age", "children[4].age_child_says", json!(13), json!(15)),
        ("an inspection, 10 children of disputed age", "wf_m_adult", json!(4), json!(3)),
        ("an audit, 400 children on the roster", "roster[200].ch_age", json!(9), json!(10)),
    ];
    for (sample, path, one, other) in changes {
        let (_, form, case) = samples(forms).into_iter().find(|(name, ..)| name == sample).unwrap();
        let scene = cases::context(&case);
        let context = scene.as_context();
        let mut session = form.start(case.answers.clone(), Map::new(), &context);
        let rules = session.change(path, one.clone()).rules_evaluated;
        let mut values = [other, one].into_iter().cycle();
        let time = quickly(204, || drop(black_box(session.change(path, values.next().unwrap()))));
        row(&format!("change {path} in {sample}: {rules} rules run again"), &micros(time));
    }
}

fn again_and_again(forms: &[Questionnaire], name: &str) {
    let (_, form, case) =
        samples(forms).into_iter().find(|(known, ..)| known.contains(name)).expect("a sample of that name");
    let scene = cases::context(&case);
    let context = scene.as_context();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(10) {
        (0..100).for_each(|_| drop(black_box(form.evaluate(&case.answers, None, &context))));
    }
}

/// What one run takes when nothing else wants the machine: the time that a tenth of the runs stay below.
fn quickly(runs: usize, mut work: impl FnMut()) -> Duration {
    work();
    let mut times: Vec<Duration> = (0..runs)
        .map(|_| {
            let begun = Instant::now();
            work();
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[runs / 10]
}

fn micros(time: Duration) -> String {
    format!("{:.1} µs", time.as_secs_f64() * 1e6)
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

fn mebibytes(bytes: f64) -> String {
    format!("{:.2} MiB", bytes / f64::from(1 << 20))
}

/// How many times as long.
fn times(one: Duration, other: Duration) -> String {
    format!("{:.1}×", one.as_secs_f64() / other.as_secs_f64())
}

/// Parts of a value that are objects or arrays, and itself.
fn parts(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(parts).sum::<usize>(),
        Value::Object(fields) => 1 + fields.values().map(parts).sum::<usize>(),
        _ => 1,
    }
}
