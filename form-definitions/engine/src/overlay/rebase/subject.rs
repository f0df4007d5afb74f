//! What a base has where an operation is at work: one side of a conflict.

use super::super::draft::Draft;
use super::super::labels::{english_of, keyed_items, rule_in};
use super::super::operation::{Choices, FindingTerms, NewRule, Operation, ParameterValue, RuleName, Within};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub(super) fn codes(draft: &Draft, choices: &Choices) -> Vec<String> {
    match choices {
        Choices::List(list) => draft
            .package
            .lists
            .get(list)
            .map(|list| keyed_items(list).into_iter().map(|(key, _)| key).collect())
            .unwrap_or_default(),
        Choices::Question(name) => {
            let own = draft.site(name).and_then(|site| draft.fields(&site.pointer).get("oneOf")?.as_array());
            let code =
                |item: &Value| item.get("const").and_then(Value::as_str).unwrap_or_default().to_owned();
            own.into_iter().flatten().map(code).collect()
        }
    }
}

fn item(draft: &Draft, choices: &Choices, code: &str) -> Value {
    match choices {
        Choices::List(list) => {
            let list = draft.package.lists.get(list).unwrap_or(&Value::Null);
            keyed_items(list)
                .into_iter()
                .find(|(key, _)| key == code)
                .map_or(Value::Null, |(_, item)| item.clone())
        }
        Choices::Question(name) => {
            let own = draft.site(name).and_then(|site| draft.fields(&site.pointer).get("oneOf")?.as_array());
            let found = own
                .into_iter()
                .flatten()
                .find(|item| item.get("const").and_then(Value::as_str) == Some(code));
            found.cloned().unwrap_or_default()
        }
    }
}

/// What a base has where an operation is at work: one side of a conflict.
pub(super) fn subject(draft: &Draft, operation: &Operation) -> Value {
    match operation {
        Operation::AddQuestion { name, .. }
        | Operation::AddSection { name, .. }
        | Operation::Hide { question: name, .. } => {
            draft.site(name).map_or(Value::Null, |site| Value::Object(described(draft.fields(&site.pointer))))
        }
        Operation::Relabel { key, .. } => json!(english_of(draft, key)),
        Operation::Translate { language, key, .. } => {
            let found = draft.find_text(key).ok();
            let text = found.as_ref().and_then(|found| draft.text_in(&found.home, key, language));
            json!({"english": english_of(draft, key), "text": text})
        }
        Operation::Tighten(limits) => draft.site(&limits.question).map_or(Value::Null, |site| {
            let kept = [
                "minimum",
                "maximum",
                "minLength",
                "maxLength",
                "minItems",
                "maxItems",
                "x-required",
                "x-choices",
            ];
            let fields = draft.fields(&site.pointer);
            let fields = kept
                .iter()
                .filter_map(|keyword| Some(((*keyword).to_owned(), fields.get(*keyword)?.clone())));
            Value::Object(fields.collect())
        }),
        Operation::SetParameter(value) => {
            let rows = draft.package.parameters.iter();
            rows.filter(|row| row.get("key").and_then(Value::as_str) == Some(&value.key)).cloned().collect()
        }
        Operation::AddChoice { choices, code, .. } => json!({"item": item(draft, choices, code)}),
        Operation::RetireChoice { choices, code, .. } => item(draft, choices, code),
        Operation::Reorder { within, .. } => json!(match within {
            Within::Sections => draft.children(None),
            Within::Questions(place) => draft.children(Some(place)),
            Within::Choices(choices) => codes(draft, choices),
        }),
        Operation::AddRule { rule } => match rule {
            NewRule::Constraint { check, .. } => {
                json!(rule_in(draft, &RuleName::Constraint(check.code.clone())))
            }
            NewRule::Relevance { on, .. } => json!(rule_in(draft, &RuleName::Relevance(on.clone()))),
            NewRule::Filter { on, .. } => json!(rule_in(draft, &RuleName::Filter(on.clone()))),
            NewRule::Default { on, .. } => json!(rule_in(draft, &RuleName::Default(on.clone()))),
            NewRule::Finding { finding, .. } => {
                let code = finding.get("code").and_then(Value::as_str).unwrap_or_default();
                draft
                    .find_finding(code)
                    .map_or(Value::Null, |pointer| Value::Object(draft.fields(&pointer).clone()))
            }
        },
        Operation::SetFinding(terms) => {
            let pointer = draft.find_finding(&terms.finding);
            pointer.map_or(Value::Null, |pointer| terms_of(draft.fields(&pointer)))
        }
        Operation::ReplaceRule { rule, .. } => json!(rule_in(draft, rule)),
    }
}

/// A question without what stands in it.
pub(super) fn described(fields: &Map<String, Value>) -> Map<String, Value> {
    let kept = fields.iter().filter(|(keyword, _)| !["items", "properties"].contains(&keyword.as_str()));
    kept.map(|(keyword, value)| (keyword.clone(), value.clone())).collect()
}

/// What can be set of a finding.
const TERMS: [&str; 4] = ["severity", "due", "refer_to", "escalate_to"];

fn terms_of(finding: &Map<String, Value>) -> Value {
    let terms = TERMS.iter().filter_map(|keyword| {
        let value = finding.get(*keyword).filter(|value| !value.is_null())?;
        Some(((*keyword).to_owned(), value.clone()))
    });
    Value::Object(terms.collect())
}

pub(super) fn has_terms(finding: &Map<String, Value>, terms: &FindingTerms) -> bool {
    let wanted = json!(terms);
    TERMS
        .iter()
        .all(|keyword| wanted.get(*keyword).is_none_or(|wanted| finding.get(*keyword) == Some(wanted)))
}

pub(super) fn has_value(rows: &Value, value: &ParameterValue) -> bool {
    let text = |row: &Value, keyword: &str| row.get(keyword).and_then(Value::as_str).map(str::to_owned);
    rows.as_array().into_iter().flatten().any(|row| {
        row.get("value") == Some(&value.value)
            && text(row, "valid_from").as_ref() == Some(&value.valid_from)
            && text(row, "valid_to") == value.valid_to
            && text(row, "area") == value.area
    })
}

pub(super) fn same_title(item: &Value, title: &BTreeMap<String, String>) -> bool {
    let known = |language: &str| match item.get("title") {
        Some(Value::Object(texts)) => texts.get(language).and_then(Value::as_str).map(str::to_owned),
        Some(Value::String(english)) if language == "en" => Some(english.clone()),
        _ => None,
    };
    title.iter().all(|(language, text)| known(language).as_ref() == Some(text))
}
