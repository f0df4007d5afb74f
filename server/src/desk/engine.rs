//! What the desk asks of the engine: the package operations lead to, how cases come out on it, how complete its languages are.

use std::collections::BTreeMap;

use form_engine::overlay::{self, Language, Operation, Refusal};
use form_engine::{Form, Package, cases, compile};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::error::{Error, Result};

/// The package operations make of a base, numbered as the release it would be.
pub(super) fn applied(base: &Package, operations: &[Operation], version: u32) -> Result<Package> {
    let mut package = overlay::apply(base, operations).map_err(|refusals| refused(&refusals))?;
    package.version = version;
    if let Some(head) = package.definition.get_mut("x-form").and_then(Value::as_object_mut) {
        head.insert("version".to_owned(), json!(version));
    }
    Ok(package)
}

/// The operations that cannot be applied, each by its place.
pub(super) fn refused(refusals: &[Refusal]) -> Error {
    let first = refusals.first().map(ToString::to_string).unwrap_or_default();
    Error::invalid(
        "operations_refused",
        format!("{} of the operations cannot be applied: {first}", refusals.len()),
    )
    .with("refusals", json!(refusals))
}

/// A compiled form; a package that was applied always compiles.
pub(super) fn compiled(package: &Package) -> Result<Form> {
    compile(package).map_err(|problems| {
        let problems: Vec<String> = problems.iter().take(20).map(ToString::to_string).collect();
        Error::invalid(
            "form_unsound",
            format!("{} does not pass the form check: {}", package.form, problems.join("; ")),
        )
    })
}

/// The cases of a base with a draft's own: one of the same name stands in its stead, one marked `retired` takes it away.
pub(super) fn all_cases(of_base: &[Value], own: &[Value]) -> Vec<Value> {
    let mut named: BTreeMap<String, &Value> = BTreeMap::new();
    for (place, case) in of_base.iter().chain(own).enumerate() {
        let name = case_name(case).map_or_else(|| format!("case {place}"), str::to_owned);
        named.insert(name, case);
    }
    let stays = |case: &&Value| case.get("retired").is_none();
    named.into_values().filter(stays).cloned().collect()
}

/// What a case is called.
pub(super) fn case_name(case: &Value) -> Option<&str> {
    case.get("name")?.as_str().filter(|name| !name.is_empty())
}

/// How a case came out.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(super) struct CaseRun {
    /// What it is called.
    pub(super) name: String,
    /// It came out as it must.
    pub(super) passes: bool,
    /// Every difference between what it expects and what came out.
    pub(super) differences: Vec<String>,
}

/// Runs cases on a form.
pub(super) fn run_cases(form: &Form, all: &[Value]) -> Vec<CaseRun> {
    let one = |case: &Value| {
        let differences = cases::run(form, case);
        let name = case_name(case).unwrap_or("(a case without a name)").to_owned();
        CaseRun { name, passes: differences.is_empty(), differences }
    };
    all.iter().map(one).collect()
}

/// Refuses cases that cannot be read, or have no name of their own.
pub(super) fn must_be_cases(own: &[Value]) -> Result<()> {
    let mut seen = std::collections::BTreeSet::new();
    for (place, case) in own.iter().enumerate() {
        let wrong =
            |why: String| Error::invalid("bad_case", format!("case {place}: {why}")).with("case", place);
        let name = case_name(case).ok_or_else(|| wrong("it has no `name`".to_owned()))?;
        if !seen.insert(name) {
            return Err(wrong(format!("there are two called {name:?}; name each differently")));
        }
        if case.get("retired").is_none() {
            cases::read(case).map_err(|cause| wrong(format!("{name:?} is no case: {cause}")))?;
        }
    }
    Ok(())
}

/// The case with what comes out now as what it expects.
pub(super) fn as_it_comes_out(form: &Form, case: &Value) -> Result<Value> {
    let bad = |cause: String| Error::invalid("bad_case", format!("this is no case: {cause}"));
    let mut draft = case.as_object().cloned().ok_or_else(|| bad("it is no object".to_owned()))?;
    draft.entry("expect").or_insert_with(|| json!({ "verdict": "valid" }));
    let read = cases::read(&Value::Object(draft.clone())).map_err(bad)?;
    let outcome = cases::evaluate(form, &read);
    let violations =
        outcome.violations.iter().map(|v| json!({ "code": v.code, "path": v.path, "level": v.level }));
    let findings = outcome.findings.iter().map(
        |f| json!({ "code": f.code, "row": f.row, "disclose": f.disclose, "provisional": f.provisional }),
    );
    let calculated: Map<String, Value> = read
        .expect
        .calculated
        .keys()
        .map(|path| (path.clone(), outcome.calculated.get(path).cloned().unwrap_or_default()))
        .collect();
    let mut expect = Map::new();
    expect.insert("verdict".to_owned(), json!(outcome.verdict()));
    expect.insert("violations".to_owned(), violations.collect());
    expect.insert("findings".to_owned(), findings.collect());
    expect.insert("calculated".to_owned(), Value::Object(calculated));
    if read.expect.hidden.is_some() {
        let hidden: Vec<&String> =
            outcome.relevance.iter().filter(|(_, shown)| !**shown).map(|(name, _)| name).collect();
        expect.insert("hidden".to_owned(), json!(hidden));
    }
    let scores: Map<String, Value> = read
        .expect
        .scores
        .keys()
        .map(|name| (name.clone(), outcome.scores.get(name).cloned().unwrap_or_default()))
        .collect();
    expect.insert("scores".to_owned(), Value::Object(scores));
    draft.insert("expect".to_owned(), Value::Object(expect));
    Ok(Value::Object(draft))
}

/// The form's languages: code, and whether a release needs it.
pub(super) fn languages(package: &Package) -> Vec<(String, bool)> {
    let declared = package.definition.pointer("/x-form/languages").and_then(Value::as_array);
    let one = |language: &Value| {
        let needed = language.get("required").and_then(Value::as_bool).unwrap_or(true);
        Some((language.get("code")?.as_str()?.to_owned(), needed))
    };
    declared.into_iter().flatten().filter_map(one).collect()
}

/// Every operation as a sentence, in English and Urdu.
pub(super) fn sentences(operations: &[Operation], base: &Package) -> Vec<BTreeMap<String, String>> {
    let (english, urdu) = (
        overlay::read_out(base, operations, Language::En),
        overlay::read_out(base, operations, Language::Ur),
    );
    let both = english.into_iter().zip(urdu);
    both.map(|(en, ur)| BTreeMap::from([("en".to_owned(), en.text), ("ur".to_owned(), ur.text)])).collect()
}
