//! The same answers given to what is common: the `cel` crate's own interpreter for rules, the `jsonschema` crate for shape.

use crate::questionnaires::Questionnaire;
use crate::{micros, quickly, row, times};
use form_engine::cases::{self, Case};
use form_engine::{Form, Package, compile};
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashMap};
use std::hint::black_box;

/// Compares on the largest case of each questionnaire.
pub(crate) fn compared(forms: &[Questionnaire]) {
    for questionnaire in forms {
        let (form, case) = (questionnaire.compiled(), questionnaire.largest_case());
        rules(questionnaire, &form, &case);
        shape(questionnaire, &form, &case);
    }
}

/// The rules of the form itself that both understand: those `cel` can run on these answers without an error.
fn rules(questionnaire: &Questionnaire, form: &Form, case: &Case) {
    let explained = cases::explain(form, case);
    let answers = &explained.outcome.answers;
    let context = cel_context(questionnaire, answers);
    let of_the_form =
        explained.rules.iter().filter(|rule| !rule.path.contains('[') && rule.result.is_boolean());
    let mut known = BTreeSet::new();
    let both: Vec<(&str, cel::Program, bool)> = of_the_form
        .filter(|rule| known.insert(rule.rule.as_str()))
        .filter_map(|rule| {
            let program = cel::Program::compile(&rule.rule).ok()?;
            let cel::Value::Bool(result) = program.execute(&context).ok()? else { return None };
            Some((rule.rule.as_str(), program, result == rule.result.as_bool()?))
        })
        .filter(|(rule, ..)| compile(&only(questionnaire, [*rule])).is_ok())
        .collect();
    let agreed = both.iter().filter(|(_, _, agreed)| *agreed).count();
    let by_cel = quickly(404, || {
        both.iter().for_each(|(_, program, _)| drop(black_box(program.execute(&context))));
    });
    let (with, without) = (
        compile(&only(questionnaire, both.iter().map(|(rule, ..)| *rule))).unwrap(),
        compile(&only(questionnaire, [])).unwrap(),
    );
    let scene = cases::context(case);
    let scene = scene.as_context();
    let whole = quickly(404, || drop(black_box(with.evaluate(answers, None, &scene))));
    let rest = quickly(404, || drop(black_box(without.evaluate(answers, None, &scene))));
    let ours = whole.saturating_sub(rest);
    let name = &questionnaire.name;
    row(
        &format!(
            "{name}: {} rules that `cel`'s interpreter can run too ({agreed} with the same result), by it",
            both.len()
        ),
        &micros(by_cel),
    );
    row(&format!("the same rules by the engine ({} faster)", times(by_cel, ours)), &micros(ours));
}

/// The form with no rules but these.
fn only<'r>(questionnaire: &Questionnaire, rules: impl IntoIterator<Item = &'r str>) -> Package {
    let mut package = questionnaire.package.clone();
    without_rules(&mut package.definition);
    let root = package.definition.as_object_mut().unwrap();
    root["x-form"]["languages"] = json!([{"code": "en", "dir": "ltr"}]);
    package.i18n.clear();
    let rules = rules.into_iter().enumerate();
    let constraints = rules.map(|(n, rule)| json!({"code": format!("R{n}"), "rule": rule, "message": "M"}));
    root.insert("x-constraints".to_owned(), constraints.collect());
    package
}

fn without_rules(part: &mut Value) {
    match part {
        Value::Object(fields) => {
            for keyword in [
                "x-relevant",
                "x-required",
                "x-constraints",
                "x-default",
                "x-findings",
                "x-scores",
                "x-disclosure",
            ] {
                fields.shift_remove(keyword);
            }
            // A calculated object is no question anybody is asked.
            fields.retain(|_, inner| !(inner.get("x-calculate").is_some() && inner["type"] == "object"));
            if fields.shift_remove("x-calculate").is_some() {
                fields.shift_remove("readOnly");
            }
            if let Some(choices) = fields.get_mut("x-choices").and_then(Value::as_object_mut) {
                choices.shift_remove("filter");
            }
            fields.values_mut().for_each(without_rules);
        }
        Value::Array(items) => items.iter_mut().for_each(without_rules),
        _ => {}
    }
}

/// Every answer by its name, and the parameters.
fn cel_context(questionnaire: &Questionnaire, answers: &Value) -> cel::Context<'static, 'static> {
    let mut context = cel::Context::default();
    for (name, answer) in
        answers.as_object().into_iter().flatten().filter_map(|(_, section)| section.as_object()).flatten()
    {
        context.add_variable_from_value(name.as_str(), cel_value(answer));
    }
    let mut parameters = Value::Object(Map::new());
    for row in questionnaire.package.parameters.iter().filter(|row| row["area"].is_null()) {
        let key = row["key"].as_str().unwrap();
        let inner = key.split('.').fold(&mut parameters, |at, part| &mut at[part]);
        *inner = row["value"].clone();
    }
    context.add_variable_from_value("param", cel_value(&parameters));
    context
}

fn cel_value(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(truth) => cel::Value::Bool(*truth),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => cel::Value::Int(whole),
            None => cel::Value::Float(number.as_f64().unwrap()),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => items.iter().map(cel_value).collect::<Vec<_>>().into(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), cel_value(value)))
            .collect::<HashMap<_, _>>()
            .into(),
    }
}

/// Shape alone by one validator for the whole document, beside everything the engine does.
fn shape(questionnaire: &Questionnaire, form: &Form, case: &Case) {
    let answers = cases::evaluate(form, case).answers;
    let options =
        jsonschema::options().with_draft(jsonschema::Draft::Draft202012).should_validate_formats(true);
    let validator = options.build(&questionnaire.package.definition).unwrap();
    let valid = validator.is_valid(&answers);
    let alone = quickly(404, || {
        black_box(validator.is_valid(&answers));
    });
    let scene = cases::context(case);
    let context = scene.as_context();
    let all = quickly(404, || drop(black_box(form.evaluate(&answers, None, &context))));
    let name = &questionnaire.name;
    row(&format!("{name}: shape alone by `jsonschema` (valid: {valid})"), &micros(alone));
    row(
        &format!(
            "shape, rules, calculations, findings and what is told, by the engine ({} as long)",
            times(all, alone)
        ),
        &micros(all),
    );
}
