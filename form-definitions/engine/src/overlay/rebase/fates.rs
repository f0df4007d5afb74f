//! What each operation comes to on the new base: it goes along, there is nothing left of it, or people decide.

use super::super::apply::sections::whole;
use super::super::draft::Draft;
use super::super::operation::{NewRule, Operation, Within};
use super::subject::{codes, described, has_terms, has_value, same_title, subject};
use super::{Absorbed, Conflict, ConflictKind, Rebased};
use crate::package::Package;
use serde_json::Value;
use std::collections::HashSet;

/// Names and codes the operations themselves add: what is done to those does not rest on the base.
fn added_by(operations: &[Operation]) -> HashSet<String> {
    let mut ours = HashSet::new();
    for operation in operations {
        match operation {
            Operation::AddQuestion { name, question, .. } => {
                ours.insert(name.clone());
                within(&Value::Object(question.clone()), &mut ours);
            }
            Operation::AddRule { rule: NewRule::Constraint { check, .. } } => {
                _ = ours.insert(check.code.clone());
            }
            Operation::AddRule { rule: NewRule::Finding { finding, .. } } => {
                ours.extend(finding.get("code").and_then(Value::as_str).map(str::to_owned));
            }
            Operation::AddSection { name, .. } => {
                _ = ours.insert(name.clone());
            }
            Operation::AddRule { rule: NewRule::Relevance { on, .. } } => {
                _ = ours.insert(format!("relevance:{on}"));
            }
            Operation::AddRule { rule: NewRule::Filter { on, .. } } => {
                _ = ours.insert(format!("filter:{on}"));
            }
            Operation::AddChoice { choices, code, .. } => {
                _ = ours.insert(format!("{}={code}", choices.called()));
            }
            _ => {}
        }
    }
    ours
}

fn within(question: &Value, ours: &mut HashSet<String>) {
    let row = question.get("items").unwrap_or(question);
    for (name, inner) in row.get("properties").and_then(Value::as_object).into_iter().flatten() {
        ours.insert(name.clone());
        within(inner, ours);
    }
}

pub(super) struct Rebasing {
    before: Draft,
    now: Draft,
    ours: HashSet<String>,
    rebased: Rebased,
}

/// What an operation comes to on the new base.
#[expect(clippy::large_enum_variant, reason = "one at a time, for one step")]
enum Fate {
    Goes(Operation),
    Absorbed(&'static str),
    Conflict(ConflictKind, String),
}

impl Rebasing {
    /// What becomes of each operation, looked at by itself.
    pub(super) fn all(old_base: &Package, new_base: &Package, operations: &[Operation]) -> Rebased {
        let mut rebasing = Rebasing {
            before: Draft::of(old_base.clone()),
            now: Draft::of(new_base.clone()),
            ours: added_by(operations),
            rebased: Rebased {
                operations: Vec::new(),
                from: Vec::new(),
                absorbed: Vec::new(),
                conflicts: Vec::new(),
            },
        };
        for (place, operation) in operations.iter().enumerate() {
            rebasing.one(place, operation);
        }
        rebasing.rebased
    }

    fn one(&mut self, place: usize, operation: &Operation) {
        match self.fate(operation) {
            Fate::Goes(operation) => {
                self.rebased.operations.push(operation);
                self.rebased.from.push(place);
            }
            Fate::Absorbed(message) => {
                self.rebased.absorbed.push(Absorbed { operation: place, message: message.to_owned() });
            }
            Fate::Conflict(kind, message) => self.rebased.conflicts.push(Conflict {
                operation: place,
                kind,
                base_before: subject(&self.before, operation),
                base_now: subject(&self.now, operation),
                message,
                refusal: None,
            }),
        }
    }

    fn fate(&self, operation: &Operation) -> Fate {
        let (before, now) = (subject(&self.before, operation), subject(&self.now, operation));
        let changed = before != now;
        match operation {
            Operation::AddQuestion { name, question, into, .. } => match self.now.site(name) {
                Some(site) if self.now.fields(&site.pointer) == question => {
                    Fate::Absorbed("the new base asks the same question")
                }
                Some(_) => Fate::Conflict(
                    ConflictKind::SameNameAdded,
                    format!("the new base has a {name} of its own"),
                ),
                None if self.gone(into) => self.target_gone(into),
                None => Fate::Goes(self.beside_what_is_left(operation)),
            },
            Operation::AddSection { name, section, .. } => match now.as_object() {
                Some(theirs) if *theirs == described(&whole(section)) => {
                    Fate::Absorbed("the new base has the same section")
                }
                Some(_) => Fate::Conflict(
                    ConflictKind::SameNameAdded,
                    format!("the new base has a {name} of its own"),
                ),
                None => Fate::Goes(self.beside_what_is_left(operation)),
            },
            Operation::SetFinding(terms) if changed => match now.as_object() {
                None => self.target_gone(&terms.finding),
                Some(now) if has_terms(now, terms) => Fate::Absorbed("the new base says so of the finding"),
                Some(_) => {
                    let message = format!("the new base has changed the finding {} too", terms.finding);
                    Fate::Conflict(ConflictKind::FindingChanged, message)
                }
            },
            Operation::Relabel { key, text } if changed => match now.as_str() {
                Some(now) if now == text => Fate::Absorbed("the new base reads so"),
                None => self.target_gone(key),
                Some(_) => Fate::Conflict(
                    ConflictKind::TextChanged,
                    format!("the new base words {key} differently too"),
                ),
            },
            Operation::Translate { .. } => self.translated(operation, &before, &now),
            Operation::SetParameter(value) if changed => {
                if has_value(&now, value) {
                    return Fate::Absorbed("the new base has this value");
                }
                let message = format!("the new base has other values of {}", value.key);
                Fate::Conflict(ConflictKind::ParameterChanged, message)
            }
            Operation::AddChoice { choices, code, title, .. } => match now
                .get("item")
                .filter(|item| !item.is_null())
            {
                Some(item) if same_title(item, title) => Fate::Absorbed("the new base offers this choice"),
                Some(_) => {
                    let message =
                        format!("the new base has a choice {code} of its own in {}", choices.called());
                    Fate::Conflict(ConflictKind::SameNameAdded, message)
                }
                None => Fate::Goes(self.beside_what_is_left(operation)),
            },
            Operation::Reorder { within, order } => self.reordered(within, order),
            Operation::ReplaceRule { rule, text, .. } if changed => match now.as_str() {
                None => self.target_gone(rule.parts().1),
                Some(now) if now == text => Fate::Absorbed("the new base has this rule"),
                Some(_) => {
                    let message = format!("the new base has another rule {} too", rule.written());
                    Fate::Conflict(ConflictKind::RuleChanged, message)
                }
            },
            Operation::AddRule {
                rule:
                    NewRule::Relevance { on, text } | NewRule::Filter { on, text } | NewRule::Default { on, text },
            } if changed => match now.as_str() {
                Some(now) if now == text => Fate::Absorbed("the new base has this rule"),
                Some(_) => Fate::Conflict(
                    ConflictKind::RuleChanged,
                    format!("the new base has such a rule on {on} too"),
                ),
                None => Fate::Goes(operation.clone()),
            },
            Operation::Hide { question, .. } if self.gone(question) => self.target_gone(question),
            other => Fate::Goes(other.clone()),
        }
    }

    /// Was in the old base, is not in the new one, and is none of ours.
    fn gone(&self, name: &str) -> bool {
        self.now.site(name).is_none() && !self.ours.contains(name)
    }

    fn target_gone(&self, name: &str) -> Fate {
        Fate::Conflict(ConflictKind::TargetGone, format!("the new base has no {name}"))
    }

    /// A translation goes along when the base's own did not change; made from English that did, it goes along as outdated.
    fn translated(&self, operation: &Operation, before: &Value, now: &Value) -> Fate {
        let Operation::Translate { language, key, text, made_from } = operation else {
            return Fate::Goes(operation.clone());
        };
        let is_theirs = self.before.find_text(key).is_ok();
        if is_theirs && self.now.find_text(key).is_err() {
            return self.target_gone(key);
        }
        if before.get("text") != now.get("text") {
            return match now.get("text").and_then(Value::as_str) {
                Some(now) if now == text => Fate::Absorbed("the new base reads so"),
                _ => Fate::Conflict(
                    ConflictKind::TextChanged,
                    format!("the new base has another {language} text of {key}"),
                ),
            };
        }
        let old_english = before.get("english").and_then(Value::as_str).map(str::to_owned);
        let (language, key, text) = (language.clone(), key.clone(), text.clone());
        let made_from =
            made_from.clone().or(old_english.filter(|_| before.get("english") != now.get("english")));
        Fate::Goes(Operation::Translate { language, key, text, made_from })
    }

    /// Stands after the nearest thing before it that is left.
    fn beside_what_is_left(&self, operation: &Operation) -> Operation {
        let mut fitted = operation.clone();
        match &mut fitted {
            Operation::AddQuestion { into, after: after @ Some(_), .. } => {
                let old = self.before.children(Some(into));
                let stands = |name: &str| {
                    self.now.site(name).is_some_and(|site| site.parent.as_ref() == Some(into))
                        || self.ours.contains(name)
                };
                *after = nearest_before(after.take(), &old, stands);
            }
            Operation::AddSection { after: after @ Some(_), .. } => {
                let old = self.before.children(None);
                let stands = |name: &str| {
                    self.now.site(name).is_some_and(|site| site.parent.is_none()) || self.ours.contains(name)
                };
                *after = nearest_before(after.take(), &old, stands);
            }
            Operation::AddChoice { choices, after: after @ Some(_), .. } => {
                let (old, new) = (codes(&self.before, choices), codes(&self.now, choices));
                let called = choices.called().to_owned();
                let stands = |code: &str| {
                    new.iter().any(|known| known == code) || self.ours.contains(&format!("{called}={code}"))
                };
                *after = nearest_before(after.take(), &old, stands);
            }
            _ => {}
        }
        fitted
    }

    fn reordered(&self, within: &Within, order: &[String]) -> Fate {
        let list = |draft: &Draft| match within {
            Within::Sections => draft.children(None),
            Within::Questions(place) => draft.children(Some(place)),
            Within::Choices(choices) => codes(draft, choices),
        };
        let (before, now) = (list(&self.before), list(&self.now));
        if now.is_empty() {
            return match within {
                Within::Questions(place) if self.ours.contains(place) => {
                    Fate::Goes(reorder(within, order.to_vec()))
                }
                _ => self.target_gone(&format!("{within:?}")),
            };
        }
        let stay = |names: &[String], others: &[String]| -> Vec<String> {
            names.iter().filter(|name| others.contains(name)).cloned().collect()
        };
        if stay(&before, &now) != stay(&now, &before) {
            let message = "the new base has put them in another order of its own".to_owned();
            return Fate::Conflict(ConflictKind::OrderChanged, message);
        }
        // What went is left out; what came stands after what it stands after in the new base.
        let mut fitted: Vec<String> =
            order.iter().filter(|name| now.contains(name) || !before.contains(name)).cloned().collect();
        for (place, name) in now.iter().enumerate().filter(|(_, name)| !order.contains(name)) {
            let neighbour =
                now[..place].iter().rev().find_map(|other| fitted.iter().position(|known| known == other));
            fitted.insert(neighbour.map_or(0, |at| at + 1), name.clone());
        }
        if fitted == now {
            return Fate::Absorbed("the new base has this order");
        }
        Fate::Goes(reorder(within, fitted))
    }
}

fn reorder(within: &Within, order: Vec<String>) -> Operation {
    Operation::Reorder { within: within.clone(), order }
}

fn nearest_before(after: Option<String>, old: &[String], stands: impl Fn(&str) -> bool) -> Option<String> {
    let wanted = after?;
    if stands(&wanted) {
        return Some(wanted);
    }
    let place = old.iter().position(|name| *name == wanted)?;
    old[..place].iter().rev().find(|name| stands(name)).cloned()
}
