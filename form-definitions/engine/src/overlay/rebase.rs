//! Moves a provincial version onto a newer base: what still means the same goes along by itself, what does not is put before people with both sides.

use super::draft::Draft;
use super::labels::{english_of, keyed_items, rule_in};
use super::operation::{Choices, NewRule, Operation, RuleName, Within};
use super::refusal::{Refusal, RefusalCode as Code};
use crate::package::Package;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashSet};

/// What became of a version on a newer base.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rebased {
    /// What goes along by itself, in order, some of it fitted to the new base.
    pub operations: Vec<Operation>,
    /// Which of the old operations each of them was.
    pub from: Vec<usize>,
    /// What the new base does already: nothing is left of it.
    pub absorbed: Vec<Absorbed>,
    /// What people decide, one by one.
    pub conflicts: Vec<Conflict>,
}

/// An operation the new base has made superfluous.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Absorbed {
    /// Which of the old operations.
    pub operation: usize,
    /// Why nothing is left of it.
    pub message: String,
}

/// What stands against an operation on the new base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictKind {
    /// What it is about is not in the new base.
    TargetGone,
    /// The new base words it differently too.
    TextChanged,
    /// The new base has another rule there too.
    RuleChanged,
    /// The new base has other values of the parameter.
    ParameterChanged,
    /// The new base has something of its own under that name or code.
    SameNameAdded,
    /// The new base has another order of its own.
    OrderChanged,
    /// The new base is as strict, or stricter.
    AlreadyStricter,
    /// The new base locks it.
    Locked,
    /// Anything else that refuses it there.
    Refused,
}

/// One operation people decide about, with both sides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conflict {
    /// Which of the old operations.
    pub operation: usize,
    /// What stands against it.
    pub kind: ConflictKind,
    /// What the old base had there.
    pub base_before: Value,
    /// What the new base has there.
    pub base_now: Value,
    /// Why people decide.
    pub message: String,
    /// What refuses it on the new base, where something does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
}

/// How people decided about a conflict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolution {
    /// Which of the old operations.
    pub operation: usize,
    /// The decision.
    pub choice: Choice,
}

/// What is done about a conflict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The operation stays as it was.
    KeepOurs,
    /// The new base stays as it is.
    TakeTheirs,
    /// Another operation instead.
    Edited(Box<Operation>),
}

/// Moves operations made on `old_base` onto `new_base`.
pub fn rebase(old_base: &Package, new_base: &Package, operations: &[Operation]) -> Rebased {
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
    let mut rebased = rebasing.rebased;
    let (before, now) = (Draft::of(old_base.clone()), Draft::of(new_base.clone()));
    // What looked as if it went along and is refused all the same is a conflict too; without it, others may be.
    for _ in 0..=operations.len().min(MOST_ROUNDS) {
        let Err(refusals) = super::apply(new_base, &rebased.operations) else { break };
        let stopped: BTreeSet<usize> = refusals.iter().map(|refusal| refusal.operation).collect();
        if rebased.operations.is_empty() {
            break;
        }
        for refusal in refusals {
            take_out(&mut rebased, refusal, (&before, &now), operations);
        }
        let mut place = 0;
        rebased.operations.retain(|_| (!stopped.contains(&place), place += 1).0);
        place = 0;
        rebased.from.retain(|_| (!stopped.contains(&place), place += 1).0);
    }
    rebased.conflicts.sort_by_key(|conflict| conflict.operation);
    rebased.absorbed.sort_by_key(|absorbed| absorbed.operation);
    rebased
}

/// Most times what is refused is taken out and the rest tried again.
const MOST_ROUNDS: usize = 20;

fn take_out(
    rebased: &mut Rebased,
    refusal: Refusal,
    (before, now): (&Draft, &Draft),
    operations: &[Operation],
) {
    let Some(place) = rebased.from.get(refusal.operation).copied() else { return };
    if rebased.conflicts.iter().any(|conflict| conflict.operation == place) {
        return;
    }
    let Some(operation) = operations.get(place) else { return };
    if refusal.code == Code::ChangesNothing.as_str() {
        let message = format!("the new base does it already: {}", refusal.message);
        rebased.absorbed.push(Absorbed { operation: place, message });
        return;
    }
    let kind = match refusal.code.as_str() {
        "locked" => ConflictKind::Locked,
        "unknown_target" | "added_later" => ConflictKind::TargetGone,
        "name_taken" => ConflictKind::SameNameAdded,
        "would_widen" => ConflictKind::AlreadyStricter,
        "day_taken" => ConflictKind::ParameterChanged,
        _ => ConflictKind::Refused,
    };
    rebased.conflicts.push(Conflict {
        operation: place,
        kind,
        base_before: subject(before, operation),
        base_now: subject(now, operation),
        message: refusal.message.clone(),
        refusal: Some(refusal),
    });
}

/// The list of operations people decided on, checked on the new base.
///
/// # Errors
/// A conflict nobody decided about, or whatever is refused on the new base; the number is that of the old operation.
pub fn resolve(
    new_base: &Package,
    operations: &[Operation],
    rebased: &Rebased,
    resolutions: &[Resolution],
) -> Result<Vec<Operation>, Vec<Refusal>> {
    let mut all: Vec<(usize, Operation)> =
        rebased.from.iter().copied().zip(rebased.operations.iter().cloned()).collect();
    let mut refusals = Vec::new();
    for conflict in &rebased.conflicts {
        let place = conflict.operation;
        match resolutions.iter().rev().find(|resolution| resolution.operation == place).map(|it| &it.choice) {
            Some(Choice::TakeTheirs) => {}
            Some(Choice::KeepOurs) => {
                all.extend(operations.get(place).map(|operation| (place, operation.clone())))
            }
            Some(Choice::Edited(operation)) => all.push((place, (**operation).clone())),
            None => refusals.push(undecided(place, conflict)),
        }
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    all.sort_by_key(|(place, _)| *place);
    let (from, operations): (Vec<usize>, Vec<Operation>) = all.into_iter().unzip();
    super::apply(new_base, &operations).map_err(|mut refusals| {
        for refusal in &mut refusals {
            refusal.operation = from.get(refusal.operation).copied().unwrap_or(refusal.operation);
        }
        refusals
    })?;
    Ok(operations)
}

fn undecided(place: usize, conflict: &Conflict) -> Refusal {
    let message = format!("nobody has decided about operation {place}: {}", conflict.message);
    let remedy = "decide: keep ours, take theirs, or another operation";
    let mut refusal = super::refusal::refused(Code::Undecided, "", message, remedy);
    refusal.operation = place;
    *refusal
}

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

struct Rebasing {
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
            Operation::AddRule { rule: NewRule::Relevance { on, text } | NewRule::Filter { on, text } }
                if changed =>
            {
                match now.as_str() {
                    Some(now) if now == text => Fate::Absorbed("the new base has this rule"),
                    Some(_) => Fate::Conflict(
                        ConflictKind::RuleChanged,
                        format!("the new base has such a rule on {on} too"),
                    ),
                    None => Fate::Goes(operation.clone()),
                }
            }
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

fn codes(draft: &Draft, choices: &Choices) -> Vec<String> {
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
fn subject(draft: &Draft, operation: &Operation) -> Value {
    match operation {
        Operation::AddQuestion { name, .. } | Operation::Hide { question: name, .. } => {
            draft.site(name).map_or(Value::Null, |site| described(draft.fields(&site.pointer)))
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
            NewRule::Finding { finding, .. } => {
                let code = finding.get("code").and_then(Value::as_str).unwrap_or_default();
                draft
                    .find_finding(code)
                    .map_or(Value::Null, |pointer| Value::Object(draft.fields(&pointer).clone()))
            }
        },
        Operation::ReplaceRule { rule, .. } => json!(rule_in(draft, rule)),
    }
}

/// A question without what stands in it.
fn described(fields: &Map<String, Value>) -> Value {
    let kept = fields.iter().filter(|(keyword, _)| !["items", "properties"].contains(&keyword.as_str()));
    Value::Object(kept.map(|(keyword, value)| (keyword.clone(), value.clone())).collect())
}

fn has_value(rows: &Value, value: &super::operation::ParameterValue) -> bool {
    let text = |row: &Value, keyword: &str| row.get(keyword).and_then(Value::as_str).map(str::to_owned);
    rows.as_array().into_iter().flatten().any(|row| {
        row.get("value") == Some(&value.value)
            && text(row, "valid_from").as_ref() == Some(&value.valid_from)
            && text(row, "valid_to") == value.valid_to
            && text(row, "area") == value.area
    })
}

fn same_title(item: &Value, title: &std::collections::BTreeMap<String, String>) -> bool {
    let known = |language: &str| match item.get("title") {
        Some(Value::Object(texts)) => texts.get(language).and_then(Value::as_str).map(str::to_owned),
        Some(Value::String(english)) if language == "en" => Some(english.clone()),
        _ => None,
    };
    title.iter().all(|(language, text)| known(language).as_ref() == Some(text))
}
