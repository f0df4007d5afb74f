//! From a rule as written to a typed tree with every name resolved. That tree is what evaluates, is priced and ordered.

mod calls;
mod check;
mod cost;
mod methods;
mod names;
mod operators;
mod order;
mod tree;
mod types;

use crate::definition::{Constant, Definition, Kind, Owner, Purpose, Source};
use crate::problem::Problem;
use crate::{cel, syntax::SyntaxError};
use check::Checker;

pub(crate) use order::{Step, plan};
pub(crate) use tree::{Arithmetic, Comparison, Function, Macro, Node, Rule, Source as Outside, VisitField};
pub(crate) use types::Type;

/// Most steps one rule may take in the worst case, over all rows it runs in: some tens of milliseconds.
const BUDGET: u64 = 2_000_000;

/// Understands every rule of a definition. A rule that cannot be understood leaves its problems and a rule that is unknown.
pub(crate) fn understand(definition: &Definition, problems: &mut Vec<Problem>) -> Vec<Rule> {
    let mut settled: Vec<bool> = vec![false; definition.sources.len()];
    let parsed: Vec<_> = definition.sources.iter().map(|source| cel::parse(&source.text)).collect();
    let mut rules: Vec<Rule> = definition.sources.iter().map(Rule::unknown).collect();
    for (id, (source, parsed)) in definition.sources.iter().zip(&parsed).enumerate() {
        match parsed {
            Err(errors) => problems.extend(errors.iter().map(|error| of_syntax(source, error))),
            Ok(syntax) => {
                let mut checker = Checker::new(definition, source, problems);
                rules[id] = checker.rule(syntax);
                settled[id] = true;
            }
        }
    }
    never_relevant(definition, &rules, problems);
    unknown_booleans(definition, &rules, &settled, problems);
    for (rule, source) in rules.iter().zip(&definition.sources) {
        over_budget(definition, rule, source, problems);
    }
    rules
}

/// What is written so that nobody will ever be asked.
fn never_relevant(definition: &Definition, rules: &[Rule], problems: &mut Vec<Problem>) {
    for (source, rule) in definition.sources.iter().zip(rules) {
        let never = matches!(rule.node, Node::Literal(Constant::Bool(false)));
        if never && matches!(source.purpose, Purpose::Relevant(_)) {
            let message = "this is never shown".to_owned();
            problems.push(of_rule(
                source,
                None,
                "never_relevant",
                message,
                "remove it, or say when it is relevant",
            ));
        }
    }
}

/// A boolean calculation that can be unknown once silenced the under-14 rule for a 12-year-old.
fn unknown_booleans(definition: &Definition, rules: &[Rule], settled: &[bool], problems: &mut Vec<Problem>) {
    let known = names::always_known(definition, rules);
    for (id, source) in definition.sources.iter().enumerate().filter(|(id, _)| settled[*id]) {
        let Purpose::Calculate(slot) = source.purpose else { continue };
        let question = &definition.frames[source.frame].questions[slot];
        if question.kind == Kind::Boolean && !known.contains(&(source.frame, slot)) {
            let names = rules[id]
                .may_be_unknown
                .iter()
                .map(|read| names::spell(definition, *read))
                .collect::<Vec<_>>()
                .join(", ");
            let message = format!("{} is true or false, but can come out unknown", question.name);
            let remedy = if names.is_empty() {
                "end it in true or false with coalesce(…, false)".to_owned()
            } else {
                format!("use coalesce or known for what may be unanswered: {names}")
            };
            problems.push(of_rule(source, None, "boolean_can_be_unknown", message, &remedy));
        }
    }
}

fn over_budget(definition: &Definition, rule: &Rule, source: &Source, problems: &mut Vec<Problem>) {
    let rows = definition
        .outward(source.frame)
        .fold(1_u64, |rows, frame| rows.saturating_mul(definition.frames[frame].max_items as u64));
    let price = cost::worst_case(definition, &rule.node).saturating_mul(rows);
    if price > BUDGET {
        let message = format!("in the worst case this rule takes {price} steps, more than {BUDGET}");
        let remedy =
            "look at fewer rows at a time: lower maxItems, or calculate once per row what is compared";
        problems.push(of_rule(source, None, "too_dear", message, remedy));
    }
}

fn of_syntax(source: &Source, error: &SyntaxError) -> Problem {
    of_rule(
        source,
        error.at,
        error.code,
        error.message.clone(),
        "see form-definitions/vocabulary/rules.md for how rules are written",
    )
}

pub(crate) fn of_rule(
    source: &Source,
    at: Option<usize>,
    code: &str,
    message: String,
    remedy: &str,
) -> Problem {
    Problem {
        path: source.pointer.clone(),
        rule: Some(source.text.chars().take(500).collect()),
        position: at,
        code: code.to_owned(),
        message,
        remedy: remedy.to_owned(),
    }
}

/// The type of `this` in a constraint.
fn this_type(definition: &Definition, source: &Source) -> Option<Type> {
    let Purpose::Constraint(owner) = source.purpose else { return None };
    match owner {
        Owner::Question(slot) => {
            definition.frames[source.frame].questions.get(slot).map(|question| Type::of(question.kind))
        }
        Owner::Repeat(frame) => Some(Type::Rows(frame)),
        Owner::Row => Some(Type::Row(source.frame)),
        Owner::Form | Owner::Section(_) => None,
    }
}
