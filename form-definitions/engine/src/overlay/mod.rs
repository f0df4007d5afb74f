//! The provincial version: a base release and typed operations on it, never an edited copy.
//!
//! [`apply`] makes the package; [`Operation::sentence`] says each operation in English and Urdu; [`derive`] finds the operations that lead from one
//! package to another (a workbook that came back); [`rebase`] moves them onto a newer base and lists what people must decide. All of it is
//! pure, bounded, and never panics on hostile operations.
//!
//! ```
//! use form_engine::Package;
//! use form_engine::overlay::{Operation, apply};
//! use serde_json::json;
//!
//! let base = Package::assemble(json!({
//!     "$schema": "https://json-schema.org/draft/2020-12/schema",
//!     "title": "Head count", "type": "object", "additionalProperties": false,
//!     "x-form": {"form": "head-count", "version": 1, "languages": [{"code": "en", "dir": "ltr"}]},
//!     "properties": {"a1": {"type": "object", "title": "Count", "additionalProperties": false, "properties": {
//!         "girls": {"type": "integer", "maximum": 90, "title": "Girls"}
//!     }}}
//! }), Default::default(), &[], &[]);
//! let tighter: Operation = serde_json::from_value(json!({"op": "tighten", "question": "girls", "maximum": 60})).expect("an operation");
//! let wider: Operation = serde_json::from_value(json!({"op": "tighten", "question": "girls", "maximum": 99})).expect("an operation");
//!
//! let package = apply(&base, &[tighter]).expect("it only narrows");
//! let refusals = apply(&base, &[wider]).expect_err("it would widen");
//!
//! assert_eq!(package.definition.pointer("/properties/a1/properties/girls/maximum"), Some(&json!(60)));
//! assert_eq!((refusals[0].operation, refusals[0].code.as_str()), (0, "would_widen"));
//! ```

mod apply;
mod check;
mod derive;
mod draft;
mod inventory;
pub(crate) mod labels;
mod operation;
mod rebase;
mod refusal;
mod sentences;

pub use crate::words::rule_in_words;
pub use apply::{MOST_BYTES, MOST_OPERATIONS};
pub use derive::derive;
pub use operation::{
    Base, Check, Choices, Due, FindingTerms, Labels, Needed, NewRule, Operation, Overlay, ParameterValue,
    RuleName, Tightening, Within,
};
pub use rebase::{Absorbed, Choice, Conflict, ConflictKind, Rebased, Resolution, rebase, resolve};
pub use refusal::{Refusal, RefusalCode};
pub use sentences::{Language, Sentence, read_out};

use crate::package::Package;

/// Applies operations to a base, in their order. The result has passed the form check.
///
/// # Errors
/// Every operation that cannot be applied, and why; the form check's problems with the operation they come from.
pub fn apply(base: &Package, operations: &[Operation]) -> Result<Package, Vec<Refusal>> {
    let applied = apply::all(base, operations);
    let mut refusals = applied.refusals.clone();
    if refusals.is_empty() {
        refusals.extend(check::hidden(&applied, operations));
        refusals.extend(check::unread_parameters(base, &applied.draft.package, operations));
    }
    if refusals.is_empty() {
        refusals.extend(check::form_check(base, &applied, operations));
    }
    if refusals.is_empty() { Ok(applied.draft.package) } else { Err(refusals) }
}

/// Applies what can be applied, for looking at a draft that is not finished: the package without what is refused, and every refusal. The form check
/// is not run.
pub fn draft(base: &Package, operations: &[Operation]) -> (Package, Vec<Refusal>) {
    let applied = apply::all(base, operations);
    let mut refusals = applied.refusals.clone();
    refusals.extend(check::hidden(&applied, operations));
    (applied.draft.package, refusals)
}

/// Lower-case hex SHA-256 that names a package with the order of its questions; [`Package::hash`] does not tell orders apart.
pub fn fingerprint(package: &Package) -> String {
    operation::hash_in_order(package)
}

/// Whether two packages say the same in the same order.
fn same(one: &Package, other: &Package) -> bool {
    fingerprint(one) == fingerprint(other)
}
