//! From a rule as written to a typed tree with every name resolved. That tree is what evaluates, is priced and ordered.

mod at_review;
mod calls;
mod check;
mod cost;
mod methods;
mod mutation;
mod names;
mod offline;
mod operators;
mod order;
mod outside;
mod parse;
mod possible;
mod spell;
mod tree;
mod types;

use crate::codes::Code;
use crate::definition::{Definition, Kind, Owner, Purpose, RuleId, Source};
use crate::problem::{Price, Problem};
use crate::syntax::SyntaxError;
use check::Checker;
use cost::Pricer;
use std::cmp::Reverse;

pub use mutation::Mutant;

/// The name that was probably meant, if one is near.
pub(crate) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
    names::nearest_of(name, known).map(str::to_owned)
}

pub(crate) use order::{Step, plan};
pub(crate) use spell::{score_path, spell};
pub(crate) use tree::{
    Arithmetic, Comparison, Function, Macro, Node, Read, Rule, ScorePart, Source as Outside, VisitField,
};
pub(crate) use types::Type;

/// Most steps one rule may take in the worst case, over all rows it runs in: some tens of milliseconds.
const BUDGET: u64 = 2_000_000;
/// Most steps of a whole form.
const FORM_BUDGET: u64 = 20_000_000;
/// How many of the dearest rules are named.
const DEAREST: usize = 10;

/// Understands every rule of a definition. A rule that cannot be understood leaves its problems and a rule that is unknown.
pub(crate) fn understand(
    definition: &Definition,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Problem>,
) -> (Vec<Rule>, Price) {
    let parsed = parse::parse_all(&definition.sources);
    let mut rules: Vec<Rule> = definition.sources.iter().map(Rule::unknown).collect();
    // Whether a rule was understood without a mistake.
    let mut sound = vec![false; rules.len()];
    for (id, source) in definition.sources.iter().enumerate() {
        let before = problems.len();
        match &parsed[source.text.as_str()] {
            Err(errors) => problems.extend(errors.iter().map(|error| of_syntax(source, error))),
            Ok(syntax) => rules[id] = Checker::new(definition, source, problems).rule(syntax),
        }
        sound[id] = problems.len() == before;
    }
    at_review::keep_apart(definition, &mut rules, problems);
    never_relevant(definition, &rules, &sound, problems);
    unknown_booleans(definition, &rules, &sound, problems);
    for (rule, source) in rules.iter().zip(&definition.sources) {
        not_offline(rule, source, warnings);
    }
    let price = price(definition, &rules, problems);
    (rules, price)
}

/// What is written so that nobody will ever be asked.
fn never_relevant(definition: &Definition, rules: &[Rule], sound: &[bool], problems: &mut Vec<Problem>) {
    for (id, source) in definition.sources.iter().enumerate() {
        // What a customised version hides says so: it stays for the answers it has.
        if definition.hidden.contains(&source.pointer) {
            continue;
        }
        let message = match possible::is_never(definition, rules, sound, id, source) {
            None => continue,
            Some(possible::Never::Itself) => "this is never shown: no answers can make it true",
            Some(possible::Never::Surroundings) => {
                "this is never shown: it contradicts the condition of the section or rows it stands in"
            }
        };
        let remedy = "remove it, or say when it is relevant";
        problems.push(of_rule(source, None, Code::NeverRelevant, message.to_owned(), remedy));
    }
}

/// Rules that the server evaluates but a phone with ODK Collect could not.
fn not_offline(rule: &Rule, source: &Source, warnings: &mut Vec<Problem>) {
    let missing = offline::missing(&rule.node);
    if offline::is_for_the_phone(source.purpose) && !missing.is_empty() {
        let missing: Vec<&str> = missing.into_iter().collect();
        let message = format!("ODK Collect could not evaluate this offline: it uses {}", missing.join("; "));
        let remedy =
            "leave it to the server, which evaluates it when the form arrives, or say it in simpler terms";
        warnings.push(of_rule(source, None, Code::NotInOdk, message, remedy));
    }
}

/// A boolean calculation that can be unknown once silenced the under-14 rule for a 12-year-old.
fn unknown_booleans(definition: &Definition, rules: &[Rule], sound: &[bool], problems: &mut Vec<Problem>) {
    let known = names::always_known(definition, rules);
    for (id, source) in definition.sources.iter().enumerate().filter(|(id, _)| sound[*id]) {
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
            problems.push(of_rule(source, None, Code::BooleanCanBeUnknown, message, &remedy));
        }
    }
}

/// Prices every rule; one that is too dear, and a form that is too dear in all, are refused.
fn price(definition: &Definition, rules: &[Rule], problems: &mut Vec<Problem>) -> Price {
    let pricer = Pricer::new(definition);
    let mut prices: Vec<(RuleId, u64)> = (0..rules.len()).map(|id| (id, pricer.of_rule(rules, id))).collect();
    let whole = prices.iter().fold(pricer.of_scores(), |sum, (_, price)| sum.saturating_add(*price));
    let too_dear = prices.iter().filter(|(_, price)| *price > BUDGET);
    for (id, price) in too_dear.clone() {
        let message = format!("in the worst case this rule takes {price} steps, more than {BUDGET}");
        let remedy =
            "look at fewer rows at a time: lower maxItems, or calculate once per row what is compared";
        problems.push(of_rule(&definition.sources[*id], None, Code::TooDear, message, remedy));
    }
    let is_one_to_blame = too_dear.count() > 0;
    prices.sort_by_key(|(id, price)| (Reverse(*price), *id));
    prices.truncate(DEAREST);
    let dearest: Vec<(String, u64)> =
        prices.into_iter().map(|(id, price)| (definition.sources[id].pointer.clone(), price)).collect();
    if whole > FORM_BUDGET && !is_one_to_blame {
        let paths: Vec<&str> = dearest.iter().take(3).map(|(path, _)| path.as_str()).collect();
        problems.push(Problem {
            path: String::new(),
            rule: None,
            position: None,
            code: Code::FormTooDear.as_str().to_owned(),
            message: format!("in the worst case the form takes {whole} steps, more than {FORM_BUDGET}"),
            remedy: format!("begin with its dearest rules: {}", paths.join(", ")),
        });
    }
    Price { worst_case_steps: whole, dearest }
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
    code: Code,
    message: String,
    remedy: &str,
) -> Problem {
    Problem {
        path: source.pointer.clone(),
        rule: Some(source.text.chars().take(500).collect()),
        position: at,
        code: code.as_str().to_owned(),
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
