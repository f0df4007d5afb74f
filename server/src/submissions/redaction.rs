//! Redaction: sensitive answers are shown only to those who may see them, and everything that could repeat them
//! (calculations, evidence) is held back with them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::model::Judgement;

/// Takes out every answer to one of `questions`, and returns the names of those that were there.
pub(super) fn redact(judgement: &mut Judgement, questions: &BTreeSet<String>) -> BTreeSet<String> {
    let mut taken = BTreeSet::new();
    take(&mut judgement.answers, questions, &mut taken);
    judgement.calculated.retain(|path, _| !questions.contains(question_of(path)));
    judgement.summary.retain(|name, _| !questions.contains(name));
    for finding in &mut judgement.findings {
        finding.because.retain(|evidence| !questions.contains(question_of(&evidence.path)));
    }
    // What the filer says of a correction may repeat an answer.
    if let Some(correction) = &mut judgement.correction {
        correction.note = None;
    }
    taken
}

/// Takes them out of answers that are kept by path.
pub(super) fn take_paths(
    answers: &mut Map<String, Value>,
    questions: &BTreeSet<String>,
    taken: &mut BTreeSet<String>,
) {
    let held = |path: &str| questions.contains(question_of(path));
    taken.extend(answers.keys().filter(|path| held(path)).map(|path| question_of(path).to_owned()));
    answers.retain(|path, _| !held(path));
}

/// Takes them out of any value.
pub(super) fn take(value: &mut Value, questions: &BTreeSet<String>, taken: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            taken.extend(map.keys().filter(|name| questions.contains(*name)).cloned());
            map.retain(|name, _| !questions.contains(name));
            map.values_mut().for_each(|inner| take(inner, questions, taken));
        }
        Value::Array(rows) => rows.iter_mut().for_each(|row| take(row, questions, taken)),
        _ => {}
    }
}

/// `children[0].age_years` → `age_years`.
fn question_of(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}
