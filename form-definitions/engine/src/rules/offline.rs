//! Which rules ODK Collect could not evaluate on its own: what they use has no counterpart in its XPath, or is not on the phone.

use super::tree::{Function, Macro, Node, Source, VisitField};
use crate::definition::{Constant, Purpose};
use std::collections::BTreeSet;

/// Whether a rule of this purpose is evaluated by the phone at all; findings are raised by the server.
pub(super) fn is_for_the_phone(purpose: Purpose) -> bool {
    purpose != Purpose::Finding
}

/// What a rule uses that ODK Collect has not.
pub(super) fn missing(node: &Node) -> BTreeSet<&'static str> {
    let mut missing = BTreeSet::new();
    look(node, false, &mut missing);
    missing
}

fn look(node: &Node, in_macro: bool, missing: &mut BTreeSet<&'static str>) {
    let lacks = match node {
        Node::Outside { source: Source::Prev, .. } => Some("the last visit (prev)"),
        Node::Outside { source: Source::Facility, .. } => Some("the facility's record (facility)"),
        Node::Visit(VisitField::District | VisitField::Zone) => {
            Some("the place of the visit (visit.district, visit.zone)")
        }
        Node::UserRole | Node::UserAreas => Some("the role and areas of the user"),
        Node::Score { .. } => Some("a score"),
        Node::NonAnswer { .. } => Some("non_answer"),
        Node::Call(Function::InArea, _) => Some("in_area"),
        Node::Call(Function::DistanceM, _) => Some("distance_m"),
        Node::Call(Function::Unique, _) => Some("unique"),
        Node::Member { name, .. } if name == "faces_checked" => Some("faces_checked"),
        Node::Join(a, b) if is_list(a) || is_list(b) => Some("lists joined together"),
        Node::Each { .. } if in_macro => Some("rows looked through for each row"),
        Node::Each { kind: Macro::Map, body, .. } if !matches!(**body, Node::Cell { .. }) => {
            Some("a value worked out for each row (calculate it in the row)")
        }
        Node::Each { over, body, .. } if !over_rows(over) && !over_fixed(over) && !is_about_codes(body) => {
            Some("choices looked through with more than == or in")
        }
        _ => None,
    };
    missing.extend(lacks);
    let inside = matches!(node, Node::Each { .. });
    match node {
        // What is looked through may itself be narrowed: rows[…] of rows[…].
        Node::Each { over, body, .. } => {
            look(over, in_macro, missing);
            look(body, inside, missing);
        }
        _ => node.children().for_each(|child| look(child, in_macro, missing)),
    }
}

fn is_list(node: &Node) -> bool {
    matches!(node, Node::List(_) | Node::Each { .. } | Node::Literal(Constant::List(_)))
}

fn over_rows(over: &Node) -> bool {
    match over {
        Node::Rows { .. } | Node::RowsOf { .. } => true,
        Node::Each { kind: Macro::Filter, over, .. } => over_rows(over),
        _ => false,
    }
}

/// A list written in the rule can be written out element by element.
fn over_fixed(over: &Node) -> bool {
    match over {
        Node::List(_) | Node::Literal(Constant::List(_)) => true,
        Node::Each { kind: Macro::Filter, over, .. } => over_fixed(over),
        _ => false,
    }
}

fn is_about_codes(body: &Node) -> bool {
    let is_fixed = |node: &Node| matches!(node, Node::Literal(_) | Node::Parameter(_));
    match body {
        Node::Equal { left, right, .. } | Node::In(left, right) => {
            matches!(**left, Node::Variable { .. }) && is_fixed(right)
                || matches!(**right, Node::Variable { .. }) && is_fixed(left)
        }
        Node::Not(of) => is_about_codes(of),
        Node::And(a, b) | Node::Or(a, b) => is_about_codes(a) && is_about_codes(b),
        _ => false,
    }
}
