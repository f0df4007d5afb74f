//! The evaluator: one walk over a typed tree.
//!
//! It counts its steps (the same on every machine) and, when asked to, notes which answers it read.

use super::functions::{self, Surroundings};
use super::logic::{among, and, compare, equal, or};
use super::store::Store;
use super::value::Val;
use crate::context::Context;
use crate::definition::{ChoiceItem, Constant, Definition, Slot};
use crate::rules::{Arithmetic, Function, Macro, Node, Outside, Type, VisitField};
use chrono::NaiveDate;
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// Most answers noted as read by one rule.
const LONGEST_TRACE: usize = 200;

/// One evaluation: the answers, the circumstances and the law of the day.
pub(crate) struct Run<'a> {
    pub(crate) store: Store<'a>,
    pub(crate) context: &'a Context<'a>,
    pub(crate) today: NaiveDate,
    /// Reasons given instead of an answer, by row and slot.
    pub(crate) non_answers: HashMap<(u32, Slot), &'a str>,
    parameters: Vec<&'a Constant>,
    definition: &'a Definition,
    steps: Cell<u64>,
    trace: RefCell<Option<Vec<(u32, Slot)>>>,
}

/// Where a rule is being run.
pub(crate) struct Scope<'a> {
    row: u32,
    this: Val<'a>,
    choice: Option<&'a ChoiceItem>,
    variables: Vec<Val<'a>>,
}

impl<'a> Scope<'a> {
    pub(crate) fn row(row: u32) -> Self {
        Scope { row, this: Val::Unknown, choice: None, variables: Vec::new() }
    }

    /// The scope of a constraint on a value.
    pub(crate) fn with_this(row: u32, this: Val<'a>) -> Self {
        Scope { this, ..Scope::row(row) }
    }

    /// The scope of a filter looking at a list item.
    pub(crate) fn with_choice(row: u32, choice: &'a ChoiceItem) -> Self {
        Scope { choice: Some(choice), ..Scope::row(row) }
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
            parameters: definition
                .parameters
                .iter()
                .map(|parameter| parameter.in_force(today, &context.area_chain))
                .collect(),
            definition,
            steps: Cell::new(0),
            trace: RefCell::new(None),
        }
    }

    pub(crate) fn steps(&self) -> u64 {
        self.steps.get()
    }

    /// The truth of a condition.
    pub(crate) fn holds(&self, node: &'a Node, scope: &mut Scope<'a>) -> Option<bool> {
        self.eval(node, scope).truth()
    }

    /// Runs a rule and tells which answers it read, in order, each once.
    pub(crate) fn traced(&self, node: &'a Node, scope: &mut Scope<'a>) -> Vec<(u32, Slot)> {
        self.trace.replace(Some(Vec::new()));
        self.eval(node, scope);
        self.trace.replace(None).unwrap_or_default()
    }

    fn read(&self, row: u32, slot: Slot) -> Val<'a> {
        if let Some(trace) = self.trace.borrow_mut().as_mut()
            && trace.len() < LONGEST_TRACE
            && !trace.contains(&(row, slot))
        {
            trace.push((row, slot));
        }
        self.store.cell(row, slot).value.clone()
    }

    pub(crate) fn eval(&self, node: &'a Node, scope: &mut Scope<'a>) -> Val<'a> {
        self.steps.set(self.steps.get() + 1);
        match node {
            Node::Literal(constant) | Node::Baseline(constant) => Val::of_constant(constant),
            Node::Parameter(place) => {
                self.parameters.get(*place).map_or(Val::Unknown, |constant| Val::of_constant(constant))
            }
            Node::Question { up, slot } => self.read(self.store.outward(scope.row, *up), *slot),
            Node::Rows { up, place, .. } => {
                Val::Rows(self.store.rows(self.store.outward(scope.row, *up), *place).clone())
            }
            Node::Variable(place) => scope.variables.get(*place).cloned().unwrap_or(Val::Unknown),
            Node::Cell { row, slot } => match self.eval(row, scope) {
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
            Node::UserAreas => Val::List(self.context.user.areas.iter().map(|area| text(area)).collect()),
            Node::Outside { source, path, ty } => self.outside(*source, path, ty),
            Node::ChoiceCode => scope.choice.map_or(Val::Unknown, |item| Val::Text(&item.code)),
            Node::ChoiceColumn(column) => {
                scope.choice.and_then(|item| item.columns.get(*column)).map_or(Val::Unknown, Val::of_constant)
            }
            Node::NonAnswer { up, slot } => {
                let row = self.store.outward(scope.row, *up);
                Val::Text(self.non_answers.get(&(row, *slot)).copied().unwrap_or(""))
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
            Node::Each { kind, over, variable, body } => self.each(*kind, over, *variable, body, scope),
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

    fn each(
        &self,
        kind: Macro,
        over: &'a Node,
        variable: usize,
        body: &'a Node,
        scope: &mut Scope<'a>,
    ) -> Val<'a> {
        let over = self.eval(over, scope);
        scope.variables.truncate(variable);
        match &over {
            Val::Rows(rows) => self.each_of(kind, &over, rows.iter().map(|row| Val::Row(*row)), body, scope),
            Val::List(items) => self.each_of(kind, &over, items.iter().cloned(), body, scope),
            _ => Val::Unknown,
        }
    }

    fn each_of(
        &self,
        kind: Macro,
        over: &Val<'a>,
        items: impl Iterator<Item = Val<'a>>,
        body: &'a Node,
        scope: &mut Scope<'a>,
    ) -> Val<'a> {
        let depth = scope.variables.len();
        let mut looks = items.map(|item| {
            scope.variables.truncate(depth);
            scope.variables.push(item.clone());
            (item, self.eval(body, scope))
        });
        let seen = match kind {
            Macro::Exists => Val::truth_or_unknown(decided(&mut looks, true)),
            Macro::All => Val::truth_or_unknown(decided(&mut looks, false).map(|found| !found)),
            Macro::ExistsOne => Val::truth_or_unknown(exactly_one(&mut looks)),
            Macro::CountWhere => {
                Val::Number(looks.filter(|(_, look)| look.truth() == Some(true)).count() as f64)
            }
            Macro::Map => Val::List(looks.map(|(_, look)| look).collect()),
            Macro::Filter => {
                let kept = looks.filter(|(_, look)| look.truth() == Some(true)).map(|(item, _)| item);
                match over {
                    Val::Rows(_) => Val::Rows(
                        kept.filter_map(|item| if let Val::Row(row) = item { Some(row) } else { None })
                            .collect(),
                    ),
                    _ => Val::List(kept.collect()),
                }
            }
        };
        scope.variables.truncate(depth);
        seen
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

/// Looks until one decides; an unknown on the way leaves it open.
fn decided<'a>(looks: &mut impl Iterator<Item = (Val<'a>, Val<'a>)>, wanted: bool) -> Option<bool> {
    let mut found = Some(false);
    for (_, look) in looks {
        match look.truth() {
            Some(truth) if truth == wanted => return Some(true),
            Some(_) => {}
            None => found = None,
        }
    }
    found
}

fn exactly_one<'a>(looks: &mut impl Iterator<Item = (Val<'a>, Val<'a>)>) -> Option<bool> {
    let (mut sure, mut open) = (0, 0);
    for (_, look) in looks {
        match look.truth() {
            Some(true) => sure += 1,
            Some(false) => {}
            None => open += 1,
        }
        if sure > 1 {
            return Some(false);
        }
    }
    (open == 0).then_some(sure == 1)
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
        Val::Json(value) => value.get(name).map_or(Val::Unknown, |value| Val::of_outside(&Type::Any, value)),
        _ => Val::Unknown,
    }
}
