//! Finds the operations that lead from a base to an edited package: what comes back from a workbook becomes a proposal like any other.
//!
//! Found in three steps, each on what the ones before made: what stands where and which rules, then English wordings, then other languages. At the
//! end the operations are applied and held against the edited package; what still differs is told as no operation can make it.

mod choices;
mod items;
mod rules;
mod texts;

use super::apply;
use super::draft::Draft;
use super::operation::{Operation, ParameterValue};
use super::refusal::{Refusal, RefusalCode as Code, refused};
use crate::compare::compare;
use crate::package::Package;
use serde_json::Value;
use std::collections::{BTreeSet, HashSet};

/// Differences told at most.
const MOST_TOLD: usize = 100;

/// The operations that make `edited` of `base`.
///
/// # Errors
/// Whatever differs and no operation can change; the `operation` of such a refusal is the number of operations that were found.
pub fn derive(base: &Package, edited: &Package) -> Result<Vec<Operation>, Vec<Refusal>> {
    let mut deriving = Deriving {
        base: Draft::of(base.clone()),
        edited: Draft::of(edited.clone()),
        operations: Vec::new(),
        lists_given: HashSet::new(),
    };
    deriving.parameters();
    deriving.items();
    deriving.findings();
    deriving.lists();
    deriving.orders();
    deriving.english();
    deriving.translations();
    let mut operations = deriving.operations;
    accept_what_is_accepted(edited, &mut operations);
    let applied = apply::all(base, &operations);
    let mut refusals = applied.refusals;
    if refusals.is_empty() {
        refusals.extend(what_is_left(&applied.draft.package, edited, operations.len()));
    }
    if refusals.is_empty() { Ok(operations) } else { Err(refusals) }
}

/// What differs still, told as the comparison tells it.
fn what_is_left(made: &Package, edited: &Package, operation: usize) -> Vec<Refusal> {
    let mut edited = edited.clone();
    // A version's number is given when it is released.
    edited.version = made.version;
    let number = made.definition.pointer("/x-form/version").cloned();
    if let (Some(number), Some(head)) =
        (number, edited.definition.pointer_mut("/x-form").and_then(Value::as_object_mut))
    {
        head.insert("version".to_owned(), number);
    }
    if super::same(made, &edited) {
        return Vec::new();
    }
    let changes = compare(made, &edited).changes;
    let mut left: Vec<Refusal> = changes
        .into_iter()
        .take(MOST_TOLD)
        .map(|change| {
            let message = change.sentence.get("en").cloned().unwrap_or_default();
            let remedy = "no operation does this: undo it, or have the base changed";
            let mut refusal = refused(Code::NotAnOperation, &change.path, message, remedy);
            refusal.operation = operation;
            *refusal
        })
        .collect();
    if left.is_empty() {
        let message = "the order of checks or of other parts differs".to_owned();
        let mut refusal = refused(Code::NotAnOperation, "", message, "put them in the order of the base");
        refusal.operation = operation;
        left.push(*refusal);
    }
    left
}

/// The edited package already goes without what reads the hidden questions.
fn accept_what_is_accepted(edited: &Package, operations: &mut [Operation]) {
    if !operations.iter().any(|operation| matches!(operation, Operation::Hide { .. })) {
        return;
    }
    let draft = Draft::of(edited.clone());
    let readers = super::inventory::readers(edited);
    let mut hidden_anywhere = BTreeSet::new();
    let mut of_each: Vec<(usize, BTreeSet<String>)> = Vec::new();
    for (place, operation) in operations.iter().enumerate() {
        let Operation::Hide { question, .. } = operation else { continue };
        let (mut names, mut open) = (BTreeSet::new(), vec![question.clone()]);
        while let Some(name) = open.pop() {
            open.extend(draft.children(Some(&name)));
            names.insert(name);
        }
        hidden_anywhere.extend(names.iter().cloned());
        of_each.push((place, names));
    }
    for (place, names) in of_each {
        let reads = readers.iter().filter(|reader| {
            reader.item.as_ref().is_none_or(|item| !hidden_anywhere.contains(item))
                && reader.names.iter().any(|name| names.contains(name))
        });
        let rules: BTreeSet<String> = reads.map(|reader| reader.rule.clone()).collect();
        if let Operation::Hide { accepting, .. } = &mut operations[place] {
            *accepting = rules.into_iter().collect();
        }
    }
}

struct Deriving {
    base: Draft,
    edited: Draft,
    operations: Vec<Operation>,
    /// Lists that came along with a question.
    lists_given: HashSet<String>,
}

impl Deriving {
    fn parameters(&mut self) {
        let known: HashSet<String> = self.base.package.parameters.iter().map(Value::to_string).collect();
        let declared = self.edited.package.definition.get("x-parameters").and_then(Value::as_array);
        let declared: Vec<&str> = declared.into_iter().flatten().filter_map(Value::as_str).collect();
        let text = |row: &Value, keyword: &str| row.get(keyword).and_then(Value::as_str).map(str::to_owned);
        let mut new: Vec<(usize, ParameterValue)> = Vec::new();
        for row in self.edited.package.parameters.iter().filter(|row| !known.contains(&row.to_string())) {
            let Some(key) = text(row, "key") else { continue };
            let first =
                self.base.package.parameters.iter().find(|row| text(row, "key").as_ref() == Some(&key));
            let unit = text(row, "unit");
            let place = declared.iter().position(|known| *known == key).unwrap_or(usize::MAX);
            new.push((
                place,
                ParameterValue {
                    unit: unit
                        .filter(|unit| first.is_none_or(|first| text(first, "unit").as_ref() != Some(unit))),
                    value: row.get("value").cloned().unwrap_or_default(),
                    valid_from: text(row, "valid_from").unwrap_or_default(),
                    valid_to: text(row, "valid_to"),
                    area: text(row, "area"),
                    source: text(row, "source").unwrap_or_default(),
                    certainty: text(row, "certainty").unwrap_or_default(),
                    key,
                },
            ));
        }
        new.sort_by_key(|(place, _)| *place);
        self.operations.extend(new.into_iter().map(|(_, value)| Operation::SetParameter(value)));
    }
}
