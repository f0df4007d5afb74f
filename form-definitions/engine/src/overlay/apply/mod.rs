//! Applies operations to a base, one after the other. Every refusal is kept; what is refused is left out of the draft.

mod choices;
mod findings;
mod parameters;
mod questions;
mod rules;
pub(super) mod sections;
mod texts;
mod tighten;

use super::draft::Draft;
use super::operation::Operation;
use super::refusal::{Outcome, Refusal, RefusalCode as Code, refused};
use crate::package::Package;
use chrono::NaiveDate;
use std::collections::HashMap;

/// Most operations of one provincial version: every text of a large form in four languages, and room beside.
pub const MOST_OPERATIONS: usize = 20_000;
/// Most bytes of JSON of all operations together.
pub const MOST_BYTES: usize = 8 << 20;
/// Longest single text, in characters.
pub(super) const LONGEST_TEXT: usize = 4_000;
/// After so many refusals nobody reads on.
const MOST_REFUSALS: usize = 200;

/// What operations make of a base, before the form check has seen it.
pub(super) struct Applied {
    pub(super) draft: Draft,
    /// Where each operation that was applied wrote: a place and the operation.
    pub(super) touched: Vec<(String, usize)>,
    pub(super) refusals: Vec<Refusal>,
}

/// Applies what can be applied.
pub(super) fn all(base: &Package, operations: &[Operation]) -> Applied {
    let draft = Draft::of(base.clone());
    let mut applied = Applied { draft, touched: Vec::new(), refusals: Vec::new() };
    if let Err(refusal) = bounded(operations) {
        applied.refusals.push(*refusal);
        return applied;
    }
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (place, operation) in operations.iter().enumerate() {
        let written = serde_json::to_string(operation).unwrap_or_default();
        let outcome = match seen.get(&written) {
            Some(earlier) => {
                let message = format!("operation {earlier} already does the same");
                Err(refused(Code::AppliedTwice, operation.about(), message, "remove one of the two"))
            }
            None => one(&mut applied, operation, place),
        };
        seen.entry(written).or_insert(place);
        if let Err(mut refusal) = outcome {
            refusal.operation = place;
            added_later(&mut refusal, &operations[place + 1..], place);
            applied.refusals.push(*refusal);
        }
        if applied.refusals.len() >= MOST_REFUSALS {
            break;
        }
    }
    applied
}

fn bounded(operations: &[Operation]) -> Outcome {
    if operations.len() > MOST_OPERATIONS {
        let message =
            format!("there are {} operations, at most {MOST_OPERATIONS} are read", operations.len());
        return Err(refused(Code::TooManyOperations, "", message, "propose them in several versions"));
    }
    let mut bytes = 0_usize;
    for (place, operation) in operations.iter().enumerate() {
        bytes += serde_json::to_vec(operation).map_or(usize::MAX / 2, |written| written.len());
        if bytes > MOST_BYTES {
            let message = format!("the operations are longer than {MOST_BYTES} bytes");
            let mut refusal = refused(
                Code::OperationTooLarge,
                operation.about(),
                message,
                "shorten it, or propose several versions",
            );
            refusal.operation = place;
            return Err(refusal);
        }
    }
    Ok(())
}

/// A target that only a later operation adds: the order is wrong, or the two wait for each other.
fn added_later(refusal: &mut Refusal, later: &[Operation], place: usize) {
    if refusal.code != Code::UnknownTarget.as_str() {
        return;
    }
    let Some(wanted) = refusal.about.as_deref() else { return };
    let adds = |operation: &Operation| matches!(operation, Operation::AddQuestion { name, .. } | Operation::AddSection { name, .. } if name == wanted);
    if let Some(distance) = later.iter().position(adds) {
        let adder = place + 1 + distance;
        refusal.code = Code::AddedLater.as_str().to_owned();
        refusal.message = format!("{wanted} is added only by operation {adder}");
        refusal.remedy = format!(
            "put operation {adder} before this one; if that waits for this one too, let one of them stand after a question of the base"
        );
    }
}

fn one(applied: &mut Applied, operation: &Operation, place: usize) -> Outcome {
    let mut work = Work { draft: &mut applied.draft, touched: Vec::new() };
    work.apply(operation)?;
    applied.touched.extend(work.touched.into_iter().map(|pointer| (pointer, place)));
    Ok(())
}

/// One operation at work on the draft.
struct Work<'d> {
    draft: &'d mut Draft,
    touched: Vec<String>,
}

impl Work<'_> {
    fn apply(&mut self, operation: &Operation) -> Outcome {
        match operation {
            Operation::AddQuestion { into, after, name, question, labels, lists } => {
                self.add_question(into, after.as_deref(), name, question, labels, lists)
            }
            Operation::AddSection { after, name, section, labels } => {
                self.add_section(after.as_deref(), name, section, labels)
            }
            Operation::Hide { question, because, .. } => self.hide(question, because),
            Operation::Relabel { key, text } => self.relabel(key, text),
            Operation::Translate { language, key, text, made_from } => {
                self.translate(language, key, text, made_from.as_deref())
            }
            Operation::Tighten(limits) => self.tighten(limits),
            Operation::SetParameter(value) => self.set_parameter(value),
            Operation::AddChoice { choices, code, title, columns, valid_from, after } => {
                self.add_choice(choices, code, title, columns, valid_from.as_deref(), after.as_deref())
            }
            Operation::RetireChoice { choices, code, from } => self.retire_choice(choices, code, from),
            Operation::Reorder { within, order } => self.reorder(within, order),
            Operation::AddRule { rule } => self.add_rule(rule),
            Operation::SetFinding(terms) => self.set_finding(terms),
            Operation::ReplaceRule { rule, text, level } => self.replace_rule(rule, text, level.as_deref()),
        }
    }

    fn touch(&mut self, pointer: impl Into<String>) {
        self.touched.push(pointer.into());
    }
}

/// A text people read: not empty, not too long, no control characters.
fn readable(about: &str, text: &str) -> Outcome {
    let remedy = "write a readable text";
    if text.trim().is_empty() {
        return Err(refused(Code::BadText, about, format!("the text of {about} is empty"), remedy));
    }
    let length = text.chars().count();
    if length > LONGEST_TEXT {
        let message = format!("the text of {about} has {length} characters, at most {LONGEST_TEXT} are kept");
        return Err(refused(Code::BadText, about, message, "shorten it"));
    }
    if let Some(strange) = text.chars().find(|c| c.is_control() && *c != '\n') {
        let message = format!("the text of {about} holds U+{:04X}, which cannot be read", u32::from(strange));
        return Err(refused(Code::BadText, about, message, remedy));
    }
    Ok(())
}

/// A rule of the rule language, as far as it can be told without the form.
fn ruled(about: &str, text: &str) -> Outcome {
    if text.trim().is_empty() {
        return Err(refused(Code::BadText, about, format!("the rule of {about} is empty"), "write the rule"));
    }
    Ok(())
}

fn day(about: &str, text: &str) -> Result<NaiveDate, Box<Refusal>> {
    crate::eval::dates::parse_date(text).ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        refused(Code::BadDate, about, format!("{shown:?} is not a day"), "write it as YYYY-MM-DD")
    })
}

fn language(code: &str) -> Outcome {
    let fits = (2..=3).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_lowercase());
    if !fits || code == "en" {
        let message = match code {
            "en" => "English is the language the form is written in".to_owned(),
            _ => format!("{} is no code of a language", super::draft::shown(code)),
        };
        let remedy = "use relabel for English, and two or three lower-case letters for another language: ur, bal, ps, brh";
        return Err(refused(Code::BadLanguage, code, message, remedy));
    }
    Ok(())
}

impl Operation {
    /// The question, key, list or parameter it is about.
    pub fn about(&self) -> &str {
        use super::operation::{Choices, NewRule, Within};
        match self {
            Operation::AddQuestion { name, .. } | Operation::AddSection { name, .. } => name,
            Operation::Hide { question, .. } => question,
            Operation::Relabel { key, .. } | Operation::Translate { key, .. } => key,
            Operation::Tighten(limits) => &limits.question,
            Operation::SetParameter(value) => &value.key,
            Operation::AddChoice { choices, .. } | Operation::RetireChoice { choices, .. } => match choices {
                Choices::List(name) | Choices::Question(name) => name,
            },
            Operation::Reorder { within, .. } => match within {
                Within::Sections => "sections",
                Within::Questions(name) => name,
                Within::Choices(Choices::List(name) | Choices::Question(name)) => name,
            },
            Operation::AddRule { rule } => match rule {
                NewRule::Constraint { check, .. } => &check.code,
                NewRule::Relevance { on, .. } | NewRule::Filter { on, .. } | NewRule::Default { on, .. } => {
                    on
                }
                NewRule::Finding { finding, .. } => {
                    finding.get("code").and_then(serde_json::Value::as_str).unwrap_or_default()
                }
            },
            Operation::SetFinding(terms) => &terms.finding,
            Operation::ReplaceRule { rule, .. } => rule.parts().1,
        }
    }
}
