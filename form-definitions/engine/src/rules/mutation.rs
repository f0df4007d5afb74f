//! Mistakes made on purpose: one operator or number of one rule changed at a time, to see whether a form's cases notice.
//!
//! A mutant is made from the rule as it was parsed and understood again, alone: the rest of the compiled form stays as it is.
//! No mutation changes what a rule reads, so the order of work holds. Defaults are left out: they are worked out by the
//! device when a form or row is begun, not by an evaluation.

use super::Checker;
use crate::cel;
use crate::definition::{Purpose, RuleId};
use crate::form::Form;
use crate::syntax::{Call, Kind, Syntax};

/// One mistake that could have been made in writing a rule.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// Where the rule stands, as a JSON pointer.
    pub path: String,
    /// The rule as written.
    pub rule: String,
    /// Where in the rule, in characters from 0.
    pub position: usize,
    /// What becomes of it: `< becomes <=`.
    pub change: String,
    of: RuleId,
    /// The node, counted from the root, and what is done to it.
    node: usize,
    mutation: Mutation,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mutation {
    /// Another operator or function in its place.
    Rename(&'static str),
    /// The opposite.
    Negate,
    /// Without its negation.
    Affirm,
    /// Another number.
    Shift(f64),
}

/// What each operator may become, as CEL names them.
const RENAMED: &[(&str, &[&str])] = &[
    ("_<_", &["_<=_", "_>=_"]),
    ("_<=_", &["_<_", "_>_"]),
    ("_>_", &["_>=_", "_<=_"]),
    ("_>=_", &["_>_", "_<_"]),
    ("_==_", &["_!=_"]),
    ("_!=_", &["_==_"]),
    ("_&&_", &["_||_"]),
    ("_||_", &["_&&_"]),
    ("_+_", &["_-_"]),
    ("_-_", &["_+_"]),
    ("_*_", &["_/_"]),
    ("_/_", &["_*_"]),
    ("exists", &["all"]),
    ("all", &["exists"]),
];
/// Conditions that have no opposite of their own.
const NEGATED: &[&str] = &["@in", "selected", "known", "contains", "startsWith", "endsWith", "matches"];

impl Form {
    /// Every mutant of every rule an evaluation looks at, in the order of the form.
    pub fn mutants(&self) -> Vec<Mutant> {
        let mut mutants = Vec::new();
        for (of, source) in self.definition.sources.iter().enumerate() {
            let Ok(mut syntax) = cel::parse(&source.text) else { continue };
            if matches!(source.purpose, Purpose::Default(_)) {
                continue;
            }
            visit(&mut syntax, &mut 0, &mut |node, syntax| {
                mutants.extend(mutations(syntax).into_iter().map(|mutation| Mutant {
                    path: source.pointer.clone(),
                    rule: source.text.clone(),
                    position: syntax.at,
                    change: spell(syntax, mutation),
                    of,
                    node,
                    mutation,
                }));
            });
        }
        mutants
    }

    /// Looks at the form with one mutant in place of its rule; the rule is back afterwards. `None` when the mutant is no rule
    /// that would be published: then the mistake is caught before any case.
    pub fn with_mutant<T>(&mut self, mutant: &Mutant, look: impl FnOnce(&Form) -> T) -> Option<T> {
        let mut syntax = cel::parse(&mutant.rule).ok()?;
        visit(&mut syntax, &mut 0, &mut |node, syntax| {
            if node == mutant.node {
                mutate(syntax, mutant.mutation);
            }
        });
        let mut problems = Vec::new();
        let source = self.definition.sources.get(mutant.of)?;
        let rule = Checker::new(&self.definition, source, &mut problems).rule(&syntax);
        if !problems.is_empty() {
            return None;
        }
        let right = std::mem::replace(self.rules.get_mut(mutant.of)?, rule);
        let seen = look(self);
        self.rules[mutant.of] = right;
        Some(seen)
    }
}

/// Visits every node, the whole before its parts, each with its number.
fn visit(syntax: &mut Syntax, number: &mut usize, look: &mut dyn FnMut(usize, &mut Syntax)) {
    let here = *number;
    *number += 1;
    match &mut syntax.kind {
        Kind::Select(of, _) => visit(of, number, look),
        Kind::List(items) => items.iter_mut().for_each(|item| visit(item, number, look)),
        Kind::Call(call) => {
            call.target.iter_mut().chain(&mut call.args).for_each(|part| visit(part, number, look));
        }
        _ => {}
    }
    look(here, syntax);
}

fn mutations(syntax: &Syntax) -> Vec<Mutation> {
    match &syntax.kind {
        Kind::Number(number) => [1.0, -1.0].map(|step| Mutation::Shift(number + step)).to_vec(),
        Kind::Call(call) if call.name == "!_" => vec![Mutation::Affirm],
        Kind::Call(call) if NEGATED.contains(&call.name.as_str()) => vec![Mutation::Negate],
        Kind::Call(call) => {
            let renamed = RENAMED.iter().find(|(name, _)| *name == call.name);
            renamed
                .into_iter()
                .flat_map(|(_, names)| names.iter())
                .map(|name| Mutation::Rename(name))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn mutate(syntax: &mut Syntax, mutation: Mutation) {
    match (mutation, &mut syntax.kind) {
        (Mutation::Rename(name), Kind::Call(call)) => call.name = name.to_owned(),
        (Mutation::Shift(to), Kind::Number(number)) => *number = to,
        (Mutation::Affirm, Kind::Call(call)) => {
            if let Some(of) = call.args.pop() {
                *syntax = of;
            }
        }
        (Mutation::Negate, _) => {
            let of = syntax.clone();
            syntax.kind = Kind::Call(Box::new(Call { name: "!_".to_owned(), target: None, args: vec![of] }));
        }
        _ => {}
    }
}

fn spell(syntax: &Syntax, mutation: Mutation) -> String {
    let plain = |name: &str| name.replace(['_', '@'], "");
    let before = match &syntax.kind {
        Kind::Call(call) => plain(&call.name),
        Kind::Number(number) => number.to_string(),
        _ => String::new(),
    };
    match mutation {
        Mutation::Rename(name) => format!("{before} becomes {}", plain(name)),
        Mutation::Shift(to) => format!("{before} becomes {to}"),
        Mutation::Negate => format!("{before} becomes not {before}"),
        Mutation::Affirm => "! is dropped".to_owned(),
    }
}
