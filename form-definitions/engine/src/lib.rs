//! The questionnaire engine: definition + answers + context -> outcome.
//!
//! A [`Package`] (a questionnaire as released) is [`compile`]d once into a [`Form`]; [`Form::evaluate`] is then a pure
//! function: no clock, no files, no network, no randomness. The same input gives the same bytes on every machine, and any
//! JSON at all may be given as answers: what does not fit becomes a violation, never a panic.
//!
//! ```
//! use form_engine::{Context, NoAreas, Package, User, Visit, compile};
//! use serde_json::json;
//!
//! let package = Package::assemble(json!({
//!     "$schema": "https://json-schema.org/draft/2020-12/schema",
//!     "title": "Head count", "type": "object", "additionalProperties": false,
//!     "x-form": {"form": "head-count", "version": 1, "languages": [{"code": "en", "dir": "ltr"}]},
//!     "properties": {"a1": {"type": "object", "title": "Count", "additionalProperties": false, "properties": {
//!         "girls": {"type": "integer", "minimum": 0, "title": "Girls", "x-required": true},
//!         "boys": {"type": "integer", "minimum": 0, "title": "Boys"},
//!         "all": {"type": "integer", "title": "All", "readOnly": true, "x-calculate": "girls + coalesce(boys, 0)"}
//!     }}}
//! }), Default::default(), &[], &[]);
//! let form = compile(&package).expect("the definition is sound");
//!
//! let visit = Visit::finished("2026-11-20T08:47:10+05:00".parse().expect("an instant"));
//! let context = Context::new(visit, User::default(), &NoAreas);
//! let outcome = form.evaluate(&json!({"girls": 3}), None, &context);
//!
//! assert_eq!(outcome.calculated["all"], json!(3));
//! assert!(outcome.violations.is_empty());
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "in a test, a panic is the report"))]

pub mod cases;
mod cel;
mod codes;
mod compare;
mod context;
mod definition;
mod eval;
mod explanation;
mod form;
mod judge;
mod messages;
mod outcome;
pub mod overlay;
mod package;
mod problem;
mod reviewed;
mod rules;
mod session;
mod shape;
mod syntax;
#[cfg(test)]
mod tests;
pub mod translations;
mod words;

pub use codes::Code;
pub use compare::{ChangeKind, Comparison, FormChange, Grade, SectionChanges, compare};
pub use context::{Areas, Context, NoAreas, Point, User, Visit};
pub use explanation::{Explained, Explanation, Reason, RulePurpose, Unknown};
pub use form::{Form, compile};
pub use outcome::{
    Basis, Choice, Evidence, Finding, Level, MediaReference, Outcome, Severity, Texts, Verdict, Violation,
};
pub use package::Package;
pub use problem::{Price, Problem};
pub use reviewed::{Asked, Reviewed};
pub use rules::Mutant;
pub use session::{Change, Session};
