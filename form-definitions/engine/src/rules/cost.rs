//! The price of a rule before it runs: steps in the worst case, with every repeat full.

use super::tree::{Function, Node};
use crate::definition::{Constant, Definition};

/// Longest list that is not rows: the choices of a question, a list in a rule or a parameter.
const LONGEST_LIST: u64 = 200;

/// Steps of one run.
pub(super) fn worst_case(definition: &Definition, node: &Node) -> u64 {
    let cost = |node: &Node| worst_case(definition, node);
    let all = |nodes: &[Node]| nodes.iter().fold(0_u64, |sum, node| sum.saturating_add(cost(node)));
    let inner = match node {
        Node::Each { over, body, .. } => {
            let each = cost(body).saturating_add(1);
            cost(over).saturating_add(length(definition, over).saturating_mul(each))
        }
        Node::Call(function, nodes) => {
            let elements = nodes.first().map_or(0, |first| length(definition, first));
            all(nodes).saturating_add(elements.saturating_mul(per_element(*function)))
        }
        Node::List(nodes) => all(nodes),
        Node::If(a, b, c) => all_of([a, b, c], cost),
        Node::In(a, b) | Node::And(a, b) | Node::Or(a, b) | Node::Join(a, b) | Node::Index(a, b) => {
            all_of([a, b], cost)
        }
        Node::Compare(_, a, b) | Node::Arithmetic(_, a, b) | Node::Equal { left: a, right: b, .. } => {
            all_of([a, b], cost)
        }
        Node::Not(of) | Node::Negate(of) | Node::Member { of, .. } | Node::Matches { text: of, .. } => {
            cost(of)
        }
        Node::Cell { row, .. } | Node::RowsOf { row, .. } => cost(row),
        _ => 0,
    };
    inner.saturating_add(1)
}

fn all_of<const N: usize>(nodes: [&Node; N], cost: impl Fn(&Node) -> u64) -> u64 {
    nodes.into_iter().fold(0, |sum: u64, node| sum.saturating_add(cost(node)))
}

fn per_element(function: Function) -> u64 {
    match function {
        Function::Count | Function::Sum | Function::Min | Function::Max | Function::Avg => 1,
        Function::Unique => 4,
        _ => 0,
    }
}

/// Most elements a node can yield.
fn length(definition: &Definition, node: &Node) -> u64 {
    match node {
        Node::Rows { repeat, .. } | Node::RowsOf { repeat, .. } => {
            definition.frames[*repeat].max_items as u64
        }
        Node::Each { over, .. } => length(definition, over),
        Node::Call(Function::Unique, nodes) => nodes.first().map_or(1, |first| length(definition, first)),
        Node::Join(a, b) => length(definition, a).saturating_add(length(definition, b)),
        Node::If(_, a, b) => length(definition, a).max(length(definition, b)),
        Node::List(nodes) => nodes.len() as u64,
        Node::Literal(Constant::List(items)) => items.len() as u64,
        _ => LONGEST_LIST,
    }
}
