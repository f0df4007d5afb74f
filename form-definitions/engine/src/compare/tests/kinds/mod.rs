//! Every kind of change with its place and its grade.

mod elsewhere;
mod questions;

use std::collections::BTreeSet;

use super::after;
use crate::compare::ChangeKind::{self, *};
use crate::compare::Grade;
use serde_json::Value;

/// Where something is edited, to what, and what is told: kind, grade, path.
type Edit = (String, Value, ChangeKind, Grade, &'static str);

fn at(base: &str, rest: &str) -> String {
    format!("{base}{rest}")
}

fn root(rest: &str) -> String {
    at("/definition", rest)
}

fn table() -> Vec<Edit> {
    [questions::edits(), elsewhere::edits()].concat()
}

#[test]
fn each_change_is_told_by_its_kind_place_and_grade() {
    for (place, value, kind, grade, path) in table() {
        let comparison = after(&place, value);

        let told: Vec<_> = comparison
            .changes
            .iter()
            .map(|change| (change.kind, change.grade, change.path.as_str()))
            .collect();
        assert_eq!(told, [(kind, grade, path)], "{place}");
        assert_eq!(comparison.grade, grade, "{place}");
    }
}

#[test]
fn no_kind_of_change_is_without_a_test() {
    let mut tested: BTreeSet<ChangeKind> = table().into_iter().map(|(_, _, kind, _, _)| kind).collect();
    tested.extend([
        SectionsReordered,
        QuestionsReordered,
        FindingsReordered,
        ChoicesReordered,
        QuestionMoved,
    ]);

    let untested: Vec<_> = ChangeKind::ALL.iter().filter(|kind| !tested.contains(kind)).collect();
    assert!(untested.is_empty(), "{untested:?}");
}
