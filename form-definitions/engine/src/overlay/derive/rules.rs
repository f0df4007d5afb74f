//! Checks and findings: new ones, and those that are written differently.

use super::super::draft::Draft;
use super::super::operation::{Check, Due, FindingTerms, NewRule, Operation, RuleName};
use super::Deriving;
use serde::Deserialize;
use serde_json::{Map, Value};

impl Deriving {
    pub(super) fn root_checks(&mut self) {
        let (old, new) = (self.base.fields("").clone(), self.edited.fields("").clone());
        self.checks("form", false, &old, &new);
    }

    pub(super) fn checks(
        &mut self,
        on: &str,
        each_row: bool,
        before: &Map<String, Value>,
        after: &Map<String, Value>,
    ) {
        let (old, new) = (by_code(before, on), by_code(after, on));
        for (code, check) in &new {
            let text = |it: &Value, keyword: &str| it.get(keyword).and_then(Value::as_str).map(str::to_owned);
            let level = |it: &Value| text(it, "level").unwrap_or_else(|| "error".to_owned());
            match old.iter().find(|(known, _)| known == code) {
                None => {
                    let key = format!("!{code}");
                    let texts = self.labels(std::slice::from_ref(&key));
                    let messages = texts
                        .into_iter()
                        .filter_map(|(language, mut texts)| Some((language, texts.remove(&key)?)));
                    let check = Check {
                        code: code.clone(),
                        rule: text(check, "rule").unwrap_or_default(),
                        message: text(check, "message").unwrap_or_default(),
                        level: level(check),
                        messages: messages.collect(),
                    };
                    let rule = NewRule::Constraint { on: on.to_owned(), each_row, check };
                    self.operations.push(Operation::AddRule { rule });
                }
                Some((_, known)) => {
                    let weight = (level(known) != level(check)).then(|| level(check));
                    let (one, other) = (text(known, "rule"), text(check, "rule"));
                    if one != other || weight.is_some() {
                        let rule = RuleName::Constraint(code.clone());
                        let text = other.unwrap_or_default();
                        self.operations.push(Operation::ReplaceRule { rule, text, level: weight });
                    }
                }
            }
        }
    }

    pub(super) fn findings(&mut self) {
        let list = |draft: &Draft| -> Vec<Map<String, Value>> {
            let findings = draft.package.definition.get("x-findings").and_then(Value::as_array);
            findings.into_iter().flatten().filter_map(Value::as_object).cloned().collect()
        };
        let code = |finding: &Map<String, Value>| {
            finding.get("code").and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let old = list(&self.base);
        for finding in list(&self.edited) {
            let named = code(&finding);
            match old.iter().find(|known| code(known) == named) {
                None => {
                    let labels = self.labels(&[format!("@{named}"), format!("@{named}.action")]);
                    self.operations.push(Operation::AddRule { rule: NewRule::Finding { finding, labels } });
                }
                Some(known) => {
                    if let Some(Value::String(text)) =
                        finding.get("when").filter(|when| known.get("when") != Some(when))
                    {
                        let (rule, text) = (RuleName::Finding(named), text.clone());
                        self.operations.push(Operation::ReplaceRule { rule, text, level: None });
                    }
                    self.operations.extend(terms(known, &finding).map(Operation::SetFinding));
                }
            }
        }
    }
}

/// Checks by code, as the form check counts them.
fn by_code(fields: &Map<String, Value>, owner: &str) -> Vec<(String, Value)> {
    let list = fields.get("x-constraints").and_then(Value::as_array);
    let named = list.into_iter().flatten().enumerate().map(|(place, check)| {
        let numbered = if place == 0 { owner.to_owned() } else { format!("{owner}.{}", place + 1) };
        (check.get("code").and_then(Value::as_str).map_or(numbered, str::to_owned), check.clone())
    });
    named.collect()
}

/// What of a finding's weight, deadline and way is different.
fn terms(old: &Map<String, Value>, new: &Map<String, Value>) -> Option<FindingTerms> {
    let changed = |keyword: &str| new.get(keyword).filter(|now| old.get(keyword) != Some(now));
    let word = |keyword: &str| changed(keyword).and_then(Value::as_str).map(str::to_owned);
    let terms = FindingTerms {
        finding: new.get("code").and_then(Value::as_str).unwrap_or_default().to_owned(),
        severity: word("severity"),
        due: changed("due").and_then(|due| Due::deserialize(due).ok()),
        refer_to: word("refer_to"),
        escalate_to: word("escalate_to"),
    };
    (!terms.says_nothing()).then_some(terms)
}
