//! Are a questionnaire's cases sharp? Every rule is spoilt in every small way, and the cases have to notice.
//!
//! `cargo test` tries a sample, the same one every time. `make mutation` tries all, and prints what no case noticed.
//! `NIGRAN_MUTATION=all` tries all, `NIGRAN_FORM=shelter-audit` only one form.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]
#![allow(clippy::print_stdout, reason = "the survivors are for the person who runs it")]

use form_engine::cases::{self, Case};
use form_engine::{Form, Mutant, Package, compile};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Mutants of a sample, for each form.
const SAMPLE: usize = 120;
/// Of a hundred mutants, so many have to be noticed.
const TARGET: usize = 95;
/// The same of a sample, which by chance can hold more of the mutants that mean the same as the rule.
const TARGET_OF_SAMPLE: usize = 90;

fn definitions() -> PathBuf {
    match std::env::var_os("NIGRAN_FORM_DEFINITIONS") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join(".."),
    }
}

fn json_files(folder: &Path) -> BTreeMap<String, Value> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.extension().is_some_and(|kind| kind == "json"));
    files.map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), read(&path))).collect()
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn package(folder: &Path) -> Package {
    let i18n: Map<String, Value> = json_files(&folder.join("i18n")).into_iter().collect();
    let contents = |name: &str| json_files(&definitions().join(name)).into_values().collect::<Vec<_>>();
    let packs = [contents("parameters"), contents("baselines")].concat();
    Package::assemble(read(&folder.join("form.json")), i18n, &contents("choice-lists"), &packs)
}

/// What became of one mutant.
enum Fate {
    /// It would not have been published.
    Refused,
    /// A case noticed.
    Killed,
    /// Some case came out differently, but did not say how it should come out.
    Unasserted,
    /// No case came out differently.
    Unexercised,
}

struct Proof {
    name: String,
    tried: usize,
    survivors: Vec<(Mutant, Fate)>,
}

fn prove(folder: &Path, all: bool) -> Proof {
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let package = package(folder);
    let cases: Vec<Case> =
        json_files(&folder.join("cases")).values().map(|case| cases::read(case).unwrap()).collect();
    let mutants = compile(&package).unwrap_or_else(|problems| panic!("{name}: {problems:?}")).mutants();
    let step = if all { 1 } else { mutants.len().div_ceil(SAMPLE).max(1) };
    let mutants: Vec<Mutant> = mutants.into_iter().step_by(step).collect();
    let share = mutants.len().div_ceil(std::thread::available_parallelism().map_or(1, usize::from)).max(1);
    let fates: Vec<(Mutant, Fate)> = std::thread::scope(|scope| {
        let shares: Vec<_> = mutants
            .chunks(share)
            .map(|mutants| scope.spawn(|| try_all(&mut compile(&package).unwrap(), mutants, &cases)))
            .collect();
        shares.into_iter().flat_map(|share| share.join().unwrap()).collect()
    });
    let tried = fates.iter().filter(|(_, fate)| !matches!(fate, Fate::Refused)).count();
    let survivors =
        fates.into_iter().filter(|(_, fate)| matches!(fate, Fate::Unasserted | Fate::Unexercised));
    Proof { name, tried, survivors: survivors.collect() }
}

fn try_all(form: &mut Form, mutants: &[Mutant], cases: &[Case]) -> Vec<(Mutant, Fate)> {
    let right: Vec<String> = cases.iter().map(|case| told(form, case)).collect();
    // The case that noticed the last mutant most likely notices the next: the two stand close together.
    let mut order: Vec<usize> = (0..cases.len()).collect();
    let fate = |mutant: &Mutant| {
        let noticed = form.with_mutant(mutant, |form| {
            let place = order.iter().position(|case| !cases::check(form, &cases[*case]).is_empty());
            place.map(|place| order[..=place].rotate_right(1)).is_some()
        });
        match noticed {
            None => Fate::Refused,
            Some(true) => Fate::Killed,
            Some(false) => {
                let differs =
                    |form: &Form| cases.iter().zip(&right).any(|(case, right)| told(form, case) != *right);
                if form.with_mutant(mutant, differs) == Some(true) {
                    Fate::Unasserted
                } else {
                    Fate::Unexercised
                }
            }
        }
    };
    let mut fate = fate;
    mutants.iter().map(|mutant| (mutant.clone(), fate(mutant))).collect()
}

/// Everything a case leads to, but for the rules' texts and the steps they take.
fn told(form: &Form, case: &Case) -> String {
    let mut outcome = cases::evaluate(form, case);
    outcome.cost = 0;
    serde_json::to_string(&outcome).unwrap()
}

fn report(proof: &Proof) {
    for (mutant, fate) in &proof.survivors {
        let why = if matches!(fate, Fate::Unasserted) { "not asserted" } else { "not exercised" };
        println!(
            "{}\n    {}\n    {:position$}^ {} ({why})",
            mutant.path,
            mutant.rule,
            "",
            mutant.change,
            position = mutant.position
        );
    }
}

#[test]
fn the_cases_of_every_form_notice_a_spoilt_rule() {
    let all = std::env::var("NIGRAN_MUTATION").is_ok_and(|which| which == "all");
    let target = if all { TARGET } else { TARGET_OF_SAMPLE };
    let only = std::env::var("NIGRAN_FORM").ok();
    let entries = std::fs::read_dir(definitions()).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = entries.filter(|folder| folder.join("form.json").exists()).collect();
    folders.sort();
    folders.retain(|folder| only.as_ref().is_none_or(|only| folder.ends_with(only)));
    let mut blunt = Vec::new();
    for folder in folders {
        let begun = Instant::now();
        let proof = prove(&folder, all);
        let killed = proof.tried - proof.survivors.len();
        report(&proof);
        let rate = killed * 1000 / proof.tried.max(1);
        let told = format!(
            "{}: {killed} of {} mutants noticed, {}.{} %",
            proof.name,
            proof.tried,
            rate / 10,
            rate % 10
        );
        println!("{told} ({:.1} s)", begun.elapsed().as_secs_f64());
        if killed * 100 < proof.tried * target {
            blunt.push(told);
        }
    }
    assert!(
        blunt.is_empty(),
        "fewer than {target} % of the spoilt rules were noticed:\n{}",
        blunt.join("\n")
    );
}
