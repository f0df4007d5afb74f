//! The evaluator: one walk over a typed tree.
//!
//! It counts its steps (the same on every machine) and, when asked to, notes which answers it read.

use super::counts::Counts;
use super::functions::{self, Surroundings};
use super::logic::{among, and, compare, equal, or};
use super::memo::Memo;
use super::scores::Scored;
use super::store::Store;
use super::value::Val;
use crate::context::Context;
use crate::definition::{ChoiceItem, Constant, Definition, Slot};
use crate::rules::{Arithmetic, Function, Node, Outside, ScorePart, Type, VisitField};
use chrono::NaiveDate;
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// Most areas of a user that rules look at.
pub(crate) const MOST_AREAS: usize = 1_000;
/// Most answers noted as read by one rule.
const LONGEST_TRACE: usize = 200;

/// One evaluation: the answers, the circumstances and the law of the day.
pub(crate) struct Run<'a> {
    pub(crate) store: Store<'a>,
    pub(crate) context: &'a Context<'a>,
    pub(crate) today: NaiveDate,
    /// Reasons given instead of an answer, by row and slot.
    pub(crate) non_answers: HashMap<(u32, Slot), Rc<str>>,
    /// Whether the reviewer has the word: what is asked of the reviewer is shown and required, and checks of it are run.
    pub(crate) at_review: bool,
    /// By score of the form; none while no item is answered or the score is not settled.
    pub(crate) scores: Vec<Option<Scored>>,
    parameters: Vec<&'a Constant>,
    baselines: Vec<&'a Constant>,
    definition: &'a Definition,
    pub(super) steps: Cell<u64>,
    pub(super) trace: RefCell<Option<Vec<Seen>>>,
    pub(super) memo: RefCell<Option<Memo>>,
    /// How many rows of a list hold each value of a question, as of a version of the store.
    pub(super) counts: RefCell<Counts>,
    pub(super) evaluated: Cell<u64>,
}

/// Something a rule looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Cell(u32, Slot),
    Score(usize, ScorePart),
}

/// Where a rule is being run.
pub(crate) struct Scope<'a> {
    row: u32,
    this: Val<'a>,
    pub(super) choice: Option<&'a ChoiceItem>,
    pub(super) choice_row: Option<u32>,
    pub(super) variables: Vec<Val<'a>>,
}

impl<'a> Scope<'a> {
    pub(crate) fn row(row: u32) -> Self {
        Scope { row, this: Val::Unknown, choice: None, choice_row: None, variables: Vec::new() }
    }

    /// The scope of a constraint on a value.
    pub(crate) fn with_this(row: u32, this: Val<'a>) -> Self {
        Scope { this, ..Scope::row(row) }
    }

    /// The scope of a filter looking at a list item.
    pub(crate) fn with_choice(row: u32, choice: &'a ChoiceItem) -> Self {
        Scope { choice: Some(choice), ..Scope::row(row) }
    }

    pub(super) fn row_id(&self) -> u32 {
        self.row
    }

    /// Lets the variable with so many bound outside it stand for an element.
    pub(super) fn bind(&mut self, variable: usize, element: Val<'a>) {
        self.unbind(variable);
        self.variables.push(element);
    }

    pub(super) fn unbind(&mut self, variable: usize) {
        self.variables.truncate(variable);
    }

    /// The scope of a filter looking at a row.
    pub(crate) fn with_choice_row(row: u32, choice: u32) -> Self {
        Scope { choice_row: Some(choice), ..Scope::row(row) }
    }
}

impl<'a> Run<'a> {
    pub(crate) fn new(definition: &'a Definition, context: &'a Context<'a>, store: Store<'a>) -> Self {
        let today = context.visit.date();
        Run {
            store,
            context,
            today,
            non_answers: HashMap::new(),
            at_review: false,
            parameters: definition
                .parameters
                .iter()
                .map(|parameter| parameter.in_force(today, &context.area_chain))
                .collect(),
            baselines: definition
                .baselines
                .iter()
                .map(|baseline| baseline.in_force(today, &context.area_chain))
                .collect(),
            scores: vec![None; definition.scores.len()],
            definition,
            steps: Cell::new(0),
            trace: RefCell::new(None),
            memo: RefCell::new(None),
            counts: RefCell::new(Counts::new()),
            evaluated: Cell::new(0),
        }
    }

    pub(super) fn definition(&self) -> &'a Definition {
        self.definition
    }

    pub(crate) fn steps(&self) -> u64 {
        self.steps.get()
    }

    /// Counts work done for a rule outside the tree.
    pub(crate) fn count_steps(&self, steps: u64) {
        self.steps.set(self.steps.get() + steps);
    }

    /// The truth of a condition.
    pub(crate) fn holds(&self, node: &'a Node, scope: &mut Scope<'a>) -> Option<bool> {
        self.eval(node, scope).truth()
    }

    /// Runs a rule and tells which answers it read, in order, each once.
    pub(crate) fn traced(&self, node: &'a Node, scope: &mut Scope<'a>) -> Vec<Seen> {
        self.trace.replace(Some(Vec::new()));
        self.eval(node, scope);
        self.trace.replace(None).unwrap_or_default()
    }

    fn read(&self, row: u32, slot: Slot) -> Val<'a> {
        self.note(Seen::Cell(row, slot));
        self.store.cell(row, slot).value.clone()
    }

    fn note(&self, seen: Seen) {
        if let Some(trace) = self.trace.borrow_mut().as_mut()
            && trace.len() < LONGEST_TRACE
            && !trace.contains(&seen)
        {
            trace.push(seen);
        }
    }

    /// A part of a score as rules and outcomes see it.
    pub(crate) fn score(&self, score: usize, part: ScorePart) -> Val<'a> {
        let Some(scored) = self.scores.get(score).and_then(Option::as_ref) else { return Val::Unknown };
        match part {
            ScorePart::Total => Val::Number(scored.total),
            ScorePart::Min => Val::Number(scored.min),
            ScorePart::Stops => Val::Number(scored.stops),
            ScorePart::Domain(place) => Val::number_or_unknown(scored.domains.get(place).copied().flatten()),
            ScorePart::Domains => {
                let domains = self.definition.scores[score].domains.iter().zip(&scored.domains);
                Val::Map(
                    domains.filter_map(|(domain, scored)| Some((domain.code.as_str(), (*scored)?))).collect(),
                )
            }
        }
    }

    pub(crate) fn eval(&self, node: &'a Node, scope: &mut Scope<'a>) -> Val<'a> {
        self.steps.set(self.steps.get() + 1);
        match node {
            Node::Literal(constant) => Val::of_constant(constant),
            Node::Baseline(place) => {
                self.baselines.get(*place).map_or(Val::Unknown, |constant| Val::of_constant(constant))
            }
            Node::Score { score, part } => {
                self.note(Seen::Score(*score, *part));
                self.score(*score, *part)
            }
            Node::Parameter(place) => {
                self.parameters.get(*place).map_or(Val::Unknown, |constant| Val::of_constant(constant))
            }
            Node::Question { up, slot } => self.read(self.store.outward(scope.row, *up), *slot),
            Node::Rows { up, place, .. } => {
                Val::Rows(self.store.rows(self.store.outward(scope.row, *up), *place).clone())
            }
            Node::Variable { place, .. } => scope.variables.get(*place).cloned().unwrap_or(Val::Unknown),
            Node::Cell { row, slot, .. } => match self.eval(row, scope) {
                Val::Row(row) => self.read(row, *slot),
                _ => Val::Unknown,
            },
            Node::RowsOf { row, place, .. } => match self.eval(row, scope) {
                Val::Row(row) => Val::Rows(self.store.rows(row, *place).clone()),
                _ => Val::Unknown,
            },
            Node::Member { of, name } => member(&self.eval(of, scope), name),
            Node::This => scope.this.clone(),
            Node::Today => Val::Date(self.today),
            Node::Visit(field) => self.visit(*field),
            Node::UserCode => text(&self.context.user.code),
            Node::UserRole => text(&self.context.user.role),
            Node::UserAreas => {
                let areas = self.context.user.areas.iter().take(MOST_AREAS);
                Val::List(areas.map(|area| text(area)).collect())
            }
            Node::Outside { source, path, ty } => self.outside(*source, path, ty),
            Node::ChoiceCode => scope.choice.map_or(Val::Unknown, |item| Val::Text(&item.code)),
            Node::ChoiceColumn { column, .. } => {
                scope.choice.and_then(|item| item.columns.get(*column)).map_or(Val::Unknown, Val::of_constant)
            }
            Node::ChoiceRow => scope.choice_row.map_or(Val::Unknown, Val::Row),
            Node::NonAnswer { up, slot } => {
                let row = self.store.outward(scope.row, *up);
                self.non_answers.get(&(row, *slot)).map_or(Val::Text(""), |reason| Val::Made(reason.clone()))
            }
            Node::Not(of) => Val::truth_or_unknown(self.holds(of, scope).map(|truth| !truth)),
            Node::And(left, right) => match self.holds(left, scope) {
                Some(false) => Val::Bool(false),
                left => Val::truth_or_unknown(and(left, self.holds(right, scope))),
            },
            Node::Or(left, right) => match self.holds(left, scope) {
                Some(true) => Val::Bool(true),
                left => Val::truth_or_unknown(or(left, self.holds(right, scope))),
            },
            Node::If(condition, yes, no) => match self.holds(condition, scope) {
                Some(true) => self.eval(yes, scope),
                Some(false) => self.eval(no, scope),
                None => Val::Unknown,
            },
            Node::Equal { left, right, negated } => {
                let (left, right) = (self.eval(left, scope), self.eval(right, scope));
                Val::truth_or_unknown(equal(&left, &right).map(|truth| truth != *negated))
            }
            Node::Compare(comparison, left, right) => {
                let (left, right) = (self.eval(left, scope), self.eval(right, scope));
                Val::truth_or_unknown(compare(*comparison, &left, &right))
            }
            Node::Arithmetic(operator, left, right) => {
                let (left, right) = (self.eval(left, scope), self.eval(right, scope));
                Val::number_or_unknown(
                    left.number().zip(right.number()).map(|(a, b)| calculate(*operator, a, b)),
                )
            }
            Node::Negate(of) => Val::number_or_unknown(self.eval(of, scope).number().map(|number| -number)),
            Node::Join(left, right) => join(&self.eval(left, scope), &self.eval(right, scope)),
            Node::List(nodes) => Val::List(nodes.iter().map(|node| self.eval(node, scope)).collect()),
            Node::Index(list, place) => {
                let (list, place) = (self.eval(list, scope), self.eval(place, scope));
                index(&list, place.number())
            }
            Node::In(item, list) => self.membership(item, list, scope),
            Node::Each { kind, over, variable, body, .. } => self.each(*kind, over, *variable, body, scope),
            Node::CountEqual { each, over, slot, value } => match self.count_equal(over, *slot, value, scope)
            {
                Some(count) => Val::Number(count),
                None => self.eval(each, scope),
            },
            Node::Matches { text, pattern } => {
                let text = self.eval(text, scope);
                Val::truth_or_unknown(text.text().map(|text| pattern.is_match(text)))
            }
            Node::Call(function, nodes) => self.call(*function, nodes, scope),
        }
    }

    fn call(&self, function: Function, nodes: &'a [Node], scope: &mut Scope<'a>) -> Val<'a> {
        let around = Surroundings { today: self.today, areas: self.context.areas };
        match (function, nodes) {
            // The first known argument decides; the rest need not be looked at.
            (Function::Coalesce, nodes) => nodes
                .iter()
                .map(|node| self.eval(node, scope))
                .find(|value| value.is_known())
                .unwrap_or(Val::Unknown),
            (_, [one]) => functions::call(function, &[self.eval(one, scope)], &around),
            (_, [one, two]) => {
                let args = [self.eval(one, scope), self.eval(two, scope)];
                functions::call(function, &args, &around)
            }
            _ => Val::Unknown,
        }
    }

    fn membership(&self, item: &'a Node, list: &'a Node, scope: &mut Scope<'a>) -> Val<'a> {
        let item = self.eval(item, scope);
        // Fixed lists are looked through where they are, without being made into values.
        let fixed = match list {
            Node::Literal(constant) => Some(constant),
            Node::Parameter(place) => self.parameters.get(*place).copied(),
            _ => None,
        };
        let found = match fixed {
            Some(Constant::List(constants)) => among_constants(&item, constants),
            Some(_) => None,
            None => match self.eval(list, scope) {
                Val::List(items) => among(&item, items.iter()),
                _ => None,
            },
        };
        Val::truth_or_unknown(found)
    }

    fn visit(&self, field: VisitField) -> Val<'a> {
        let visit = &self.context.visit;
        match field {
            VisitField::StartedAt => visit.started_at.map_or(Val::Unknown, Val::Instant),
            VisitField::FinishedAt => Val::Instant(visit.finished_at),
            VisitField::Location => visit.location.map_or(Val::Unknown, |point| Val::Point(Rc::new(point))),
            VisitField::District => visit.district.as_deref().map_or(Val::Unknown, text),
            VisitField::Zone => visit.zone.as_deref().map_or(Val::Unknown, text),
        }
    }

    /// Looks at the last visit (flat or nested by section, as answers are) or at the facility.
    fn outside(&self, source: Outside, path: &[String], ty: &Type) -> Val<'a> {
        let root = match source {
            Outside::Prev => self.context.prev.as_ref(),
            Outside::Facility => self.context.facility.as_ref(),
        };
        let Some(root) = root.filter(|root| !root.is_null()) else { return Val::Unknown };
        let Some((first, rest)) = path.split_first() else { return Val::Json(root) };
        let in_its_section = || {
            let section = self.definition.section_of(first)?;
            root.get(section)?.get(first)
        };
        let found = root.get(first).or_else(in_its_section);
        let found = rest.iter().try_fold(found, |at, name| at.map(|at: &'a Value| at.get(name)));
        found.flatten().map_or(Val::Unknown, |value| Val::of_outside(ty, value))
    }
}

fn among_constants(item: &Val<'_>, constants: &[Constant]) -> Option<bool> {
    if let (Some(text), true) =
        (item.text(), constants.iter().all(|constant| matches!(constant, Constant::Text(_))))
    {
        return Some(
            constants.iter().any(|constant| matches!(constant, Constant::Text(other) if other == text)),
        );
    }
    let items: Vec<Val<'_>> = constants.iter().map(Val::of_constant).collect();
    among(item, items.iter())
}

fn text(text: &str) -> Val<'_> {
    if text.is_empty() { Val::Unknown } else { Val::Text(text) }
}

fn calculate(operator: Arithmetic, a: f64, b: f64) -> f64 {
    match operator {
        Arithmetic::Add => a + b,
        Arithmetic::Subtract => a - b,
        Arithmetic::Multiply => a * b,
        Arithmetic::Divide => a / b,
        Arithmetic::Remainder => a % b,
    }
}

fn join<'a>(left: &Val<'a>, right: &Val<'a>) -> Val<'a> {
    /// Longest text a rule may make.
    const LONGEST: usize = 64 * 1024;
    match (left, right) {
        (Val::List(a), Val::List(b)) => Val::List(a.iter().chain(b.iter()).cloned().collect()),
        _ => match (left.text(), right.text()) {
            (Some(a), Some(b)) if a.len() + b.len() <= LONGEST => Val::Made(format!("{a}{b}").into()),
            _ => Val::Unknown,
        },
    }
}

fn index<'a>(list: &Val<'a>, place: Option<f64>) -> Val<'a> {
    let Some(place) = place.filter(|place| *place >= 0.0 && place.fract() == 0.0) else {
        return Val::Unknown;
    };
    match list {
        Val::List(items) => items.get(place as usize).cloned().unwrap_or(Val::Unknown),
        Val::Rows(rows) => rows.get(place as usize).map_or(Val::Unknown, |row| Val::Row(*row)),
        _ => Val::Unknown,
    }
}

fn member<'a>(of: &Val<'a>, name: &str) -> Val<'a> {
    match of {
        Val::Point(point) => Val::number_or_unknown(match name {
            "lat" => Some(point.lat),
            "lon" => Some(point.lon),
            "accuracy_m" => point.accuracy_m,
            "altitude_m" => point.altitude_m,
            _ => None,
        }),
        Val::Map(numbers) => {
            let found = numbers.iter().find(|(known, _)| *known == name);
            Val::number_or_unknown(found.map(|(_, number)| *number))
        }
        Val::Json(value) => value.get(name).map_or(Val::Unknown, |value| Val::of_outside(&Type::Any, value)),
        Val::Held(value) => {
            value.get(name).map_or(Val::Unknown, |value| Val::of_outside(&Type::Any, value).into_owned())
        }
        _ => Val::Unknown,
    }
}
