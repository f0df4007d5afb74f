//! Looks for what left a rule unknown: the smallest parts that are unknown themselves, each with the reason.

use super::run::{Run, Scope};
use super::value::Val;
use crate::definition::{Constant, Kind, Slot};
use crate::explanation::Reason;
use crate::rules::{Function, Macro, Node, Outside};

/// Most causes told of one rule.
const MOST_CAUSES: usize = 40;

/// A part of a rule that is unknown.
pub(crate) struct Cause<'a> {
    pub(crate) node: &'a Node,
    /// The question it is, where it is one.
    pub(crate) cell: Option<(u32, Slot)>,
    pub(crate) reason: Reason,
}

impl<'a> Run<'a> {
    /// Why a rule is unknown; nothing when it is known.
    pub(crate) fn causes(&self, node: &'a Node, scope: &mut Scope<'a>) -> Vec<Cause<'a>> {
        let mut causes = Vec::new();
        self.look_for_causes(node, scope, &mut causes);
        causes.truncate(MOST_CAUSES);
        causes
    }

    fn look_for_causes(&self, node: &'a Node, scope: &mut Scope<'a>, causes: &mut Vec<Cause<'a>>) {
        if causes.len() >= MOST_CAUSES || self.eval(node, scope).is_known() {
            return;
        }
        let before = causes.len();
        match node {
            Node::Question { up, slot } => {
                let row = self.store.outward(scope.row_id(), *up);
                causes.push(Cause { node, cell: Some((row, *slot)), reason: self.why_empty(row, *slot) });
            }
            Node::Cell { row, slot, .. } => match self.eval(row, scope) {
                Val::Row(row) => {
                    causes.push(Cause { node, cell: Some((row, *slot)), reason: self.why_empty(row, *slot) });
                }
                _ => self.look_for_causes(row, scope, causes),
            },
            Node::If(condition, yes, no) => match self.holds(condition, scope) {
                Some(true) => self.look_for_causes(yes, scope, causes),
                Some(false) => self.look_for_causes(no, scope, causes),
                None => self.look_for_causes(condition, scope, causes),
            },
            Node::Each { over, variable, body, kind, .. } => {
                self.look_for_causes(over, scope, causes);
                if causes.len() == before && *kind != Macro::Filter {
                    self.in_each(over, *variable, body, scope, causes);
                }
            }
            // A list is known even where its elements are not: what needed one of them looks inside.
            Node::List(nodes) => nodes.iter().for_each(|node| self.look_for_causes(node, scope, causes)),
            _ => {
                for child in node.children() {
                    match child {
                        Node::List(nodes) => {
                            nodes.iter().for_each(|node| self.look_for_causes(node, scope, causes));
                        }
                        Node::Each { kind: Macro::Map, over, variable, body, .. } => {
                            self.in_each(over, *variable, body, scope, causes);
                        }
                        child => self.look_for_causes(child, scope, causes),
                    }
                }
            }
        }
        if causes.len() == before {
            causes.push(Cause { node, cell: None, reason: reason_of(node) });
        }
    }

    fn in_each(
        &self,
        over: &'a Node,
        variable: usize,
        body: &'a Node,
        scope: &mut Scope<'a>,
        causes: &mut Vec<Cause<'a>>,
    ) {
        let items: Vec<Val<'a>> = match self.eval(over, scope) {
            Val::Rows(rows) => rows.iter().map(|row| Val::Row(*row)).collect(),
            Val::List(items) => items.to_vec(),
            _ => return,
        };
        for item in items {
            if causes.len() >= MOST_CAUSES {
                break;
            }
            scope.bind(variable, item);
            self.look_for_causes(body, scope, causes);
        }
        scope.unbind(variable);
    }

    fn why_empty(&self, row: u32, slot: Slot) -> Reason {
        let question = &self.definition().frames[self.store.row(row).frame].questions[slot];
        if self.store.cell(row, slot).hidden {
            return Reason::NotRelevant;
        }
        match self.non_answers.get(&(row, slot)) {
            Some(code) => Reason::NonAnswer(code.to_string()),
            None if question.calculate.is_some() || question.kind == Kind::Map => Reason::NotCalculated,
            None => Reason::Unanswered,
        }
    }
}

/// Why a part is unknown though nothing in it is.
fn reason_of(node: &Node) -> Reason {
    match node {
        Node::Literal(Constant::Unknown) => Reason::Written,
        Node::Parameter(_) => Reason::NoParameter,
        Node::Baseline(_) => Reason::NoBaseline,
        Node::Score { .. } => Reason::NoScore,
        Node::Outside { source: Outside::Prev, .. } => Reason::NoEarlierVisit,
        Node::Outside { source: Outside::Facility, .. } => Reason::NoFacility,
        Node::Visit(_) | Node::UserCode | Node::UserRole | Node::UserAreas => Reason::NotSaid,
        Node::ChoiceCode | Node::ChoiceColumn { .. } | Node::ChoiceRow => Reason::NotSaid,
        Node::Variable { .. } | Node::This => Reason::Unanswered,
        Node::Member { .. } | Node::Index(..) => Reason::NoSuchPart,
        Node::Call(Function::InArea, _) => Reason::NoBoundaries,
        Node::Call(Function::Sum | Function::Avg | Function::Min | Function::Max, _) => Reason::OfNothing,
        _ => Reason::NotComputable,
    }
}
