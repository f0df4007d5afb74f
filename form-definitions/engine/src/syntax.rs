//! A rule as written: our own syntax tree, with the place of every node in the source.
//!
//! Nothing is resolved here. `rows.exists(r, …)` is still the call that was written; `rules` gives it meaning.

use crate::codes::Code;

/// One node of a rule and the place (in characters from 0) it was written at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Syntax {
    pub(crate) at: usize,
    pub(crate) kind: Kind,
}

/// What a node says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Name(String),
    Select(Box<Syntax>, String),
    List(Vec<Syntax>),
    Call(Box<Call>),
}

/// An operator (`_&&_`, `_[_]`, `@in`, as CEL names them), a function or a method.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) target: Option<Syntax>,
    pub(crate) args: Vec<Syntax>,
}

/// Why a source is not a rule.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SyntaxError {
    pub(crate) at: Option<usize>,
    pub(crate) code: Code,
    pub(crate) message: String,
}

impl Syntax {
    /// The dotted name this node spells (`r.age_years`), if it is nothing but names.
    pub(crate) fn dotted(&self) -> Option<String> {
        match &self.kind {
            Kind::Name(name) => Some(name.clone()),
            Kind::Select(of, field) => Some(format!("{}.{field}", of.dotted()?)),
            _ => None,
        }
    }
}
