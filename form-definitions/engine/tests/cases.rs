//! Every questionnaire of this repository compiles, and every one of its cases comes out as written.
//!
//! `NIGRAN_FORM_DEFINITIONS` looks at another folder instead.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use form_engine::{Form, Outcome, Package, cases, compile};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

fn definitions() -> PathBuf {
    match std::env::var_os("NIGRAN_FORM_DEFINITIONS") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join(".."),
    }
}

fn json_files(folder: &Path) -> Vec<(String, Value)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|kind| kind == "json")).collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), read(&path)))
        .collect()
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn contents(folder: &Path) -> Vec<Value> {
    json_files(folder).into_iter().map(|(_, content)| content).collect()
}

fn form_folders() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(definitions()).expect("the folder of the questionnaires");
    let folders = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut folders: Vec<PathBuf> = folders.filter(|folder| folder.join("form.json").exists()).collect();
    folders.sort();
    folders
}

fn package(folder: &Path) -> Package {
    let i18n: Map<String, Value> = json_files(&folder.join("i18n")).into_iter().collect();
    let lists = contents(&definitions().join("choice-lists"));
    let packs =
        [contents(&definitions().join("parameters")), contents(&definitions().join("baselines"))].concat();
    Package::assemble(read(&folder.join("form.json")), i18n, &lists, &packs)
}

fn compiled(folder: &Path) -> Form {
    compile(&package(folder)).unwrap_or_else(|problems| {
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        panic!("{} has {} problems:\n{}", folder.display(), told.len(), told.join("\n"))
    })
}

#[test]
fn every_case_of_every_questionnaire_comes_out_as_written() {
    let mut differences = Vec::new();
    for folder in form_folders() {
        let form = compiled(&folder);
        let cases = json_files(&folder.join("cases"));
        assert!(
            !cases.is_empty(),
            "{} has no cases: a questionnaire without cases is not finished",
            folder.display()
        );
        for (name, case) in &cases {
            differences.extend(
                cases::run(&form, case).into_iter().map(|difference| format!("{name}: {difference}")),
            );
        }
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn no_case_costs_more_than_the_price_of_its_questionnaire() {
    for folder in form_folders() {
        let form = compiled(&folder);
        for (name, case) in json_files(&folder.join("cases")) {
            let case = cases::read(&case).unwrap_or_else(|error| panic!("{name}: {error}"));
            let cost = cases::evaluate(&form, &case).cost;

            assert!(cost <= form.price().worst_case_steps, "{name}: {cost}");
        }
    }
}

#[test]
fn answers_that_were_normalised_once_stay_as_they_are() {
    for folder in form_folders() {
        let form = compiled(&folder);
        for (name, case) in json_files(&folder.join("cases")) {
            let mut case = cases::read(&case).unwrap_or_else(|error| panic!("{name}: {error}"));
            let first = cases::evaluate(&form, &case);
            case.answers = first.answers.clone();
            let second = cases::evaluate(&form, &case);

            assert_eq!(first.answers.to_string(), second.answers.to_string(), "{name}");
            assert_eq!(first.calculated, second.calculated, "{name}");
        }
    }
}

#[test]
fn a_case_filled_in_answer_by_answer_comes_out_the_same() {
    for folder in form_folders() {
        let form = compiled(&folder);
        for (name, case) in json_files(&folder.join("cases")).into_iter().step_by(40) {
            let case = cases::read(&case).unwrap_or_else(|error| panic!("{name}: {error}"));
            let context = cases::context(&case);
            let context = context.as_context();
            let mut session = form.start(Value::Null, Map::new(), &context);
            let non_answers = case.non_answers.as_ref().and_then(Value::as_object);
            for (path, answer) in answered(&case.answers) {
                session.change(&path, answer);
            }
            for (path, reason) in non_answers.into_iter().flatten() {
                session.change_non_answer(path, reason.as_str());
            }

            let anew = form.evaluate(session.answers(), case.non_answers.as_ref(), &context);
            assert_eq!(told(session.outcome()), told(&anew), "{name}");
        }
    }
}

/// Every answer of the form itself, and every row one by one.
fn answered(answers: &Value) -> Vec<(String, Value)> {
    let sections = answers.as_object().into_iter().flatten().filter_map(|(_, section)| section.as_object());
    let mut answered = Vec::new();
    for (name, answer) in sections.flatten() {
        match answer.as_array() {
            Some(rows) if rows.iter().any(Value::is_object) => {
                let rows = rows.iter().enumerate();
                answered.extend(rows.map(|(place, row)| (format!("{name}[{place}]"), row.clone())));
            }
            _ => answered.push((name.clone(), answer.clone())),
        }
    }
    answered
}

fn told(outcome: &Outcome) -> Value {
    let mut outcome = serde_json::to_value(outcome).unwrap();
    outcome["cost"] = Value::Null;
    outcome
}

/// What stands in a questionnaire.
#[derive(Debug, Default, PartialEq)]
struct Contents {
    sections: usize,
    asked: usize,
    calculated: usize,
    repeats: usize,
    /// Codes of what must hold between answers: the constraints of sections, repeats, rows and the form.
    cross_checks: Vec<String>,
}

impl Contents {
    fn of(definition: &Value) -> Contents {
        let mut contents = Contents::default();
        contents.cross_check(definition);
        contents.questions(&definition["properties"]);
        contents
    }

    fn cross_check(&mut self, of: &Value) {
        let constraints = of["x-constraints"].as_array().into_iter().flatten();
        self.cross_checks
            .extend(constraints.map(|constraint| constraint["code"].as_str().unwrap().to_owned()));
    }

    fn questions(&mut self, questions: &Value) {
        for schema in questions.as_object().unwrap().values() {
            if schema.get("x-calculate").is_some() {
                self.calculated += 1;
            } else if schema["type"] == "object" {
                self.sections += 1;
                self.cross_check(schema);
                self.questions(&schema["properties"]);
            } else if schema["items"]["type"] == "object" {
                self.repeats += 1;
                self.cross_check(schema);
                self.cross_check(&schema["items"]);
                self.questions(&schema["items"]["properties"]);
            } else {
                self.asked += 1;
            }
        }
    }
}

/// The numbers the domain's papers name: who takes a question or a check away notices here.
#[test]
fn the_questionnaires_are_whole() {
    let definition = |name: &str| read(&definitions().join(name).join("form.json"));
    let counted = |name: &str| {
        let contents = Contents::of(&definition(name));
        (
            contents.sections,
            contents.asked,
            contents.calculated,
            contents.repeats,
            contents.cross_checks.len(),
        )
    };
    let audit = definition("shelter-audit");
    let findings = |form: &Value| form["x-findings"].as_array().unwrap().len();
    let stops =
        audit["x-findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] == "stop");
    let domains = audit["x-scores"]["audit"]["domains"].as_array().unwrap();
    let scored: usize = domains.iter().map(|domain| domain["items"].as_array().unwrap().len()).sum();
    let weights: f64 = domains.iter().map(|domain| domain["weight"].as_f64().unwrap()).sum();
    let action_points = read(&definitions().join("choice-lists/action-point.json"));

    assert_eq!(counted("child-protection-toolkit"), (24, 350, 33, 11, 54));
    assert_eq!(action_points["items"].as_array().unwrap().len(), 44);
    assert_eq!(counted("shelter-audit"), (17, 177, 52, 5, 11));
    assert_eq!((findings(&audit), stops.count()), (30, 8));
    assert_eq!((domains.len(), scored, weights), (10, 58, 100.0));
    assert_eq!(counted("child-labour-inspection"), (10, 169, 20, 3, 9));
    assert_eq!(findings(&definition("child-labour-inspection")), 46);
}

#[test]
fn every_finding_and_every_cross_check_is_raised_by_some_case() {
    for folder in form_folders() {
        let definition = read(&folder.join("form.json"));
        let findings = definition["x-findings"].as_array().into_iter().flatten();
        let mut silent: Vec<String> =
            findings.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect();
        silent.extend(Contents::of(&definition).cross_checks);
        for case in contents(&folder.join("cases")) {
            let expected = |kind: &str| case["expect"][kind].as_array().cloned().unwrap_or_default();
            let raised = [expected("findings"), expected("violations")].concat();
            silent.retain(|code| !raised.iter().any(|raised| raised["code"] == **code));
        }

        assert!(silent.is_empty(), "{}: no case raises {}", folder.display(), silent.join(", "));
    }
}
