//! Runs typed trees. Three values of truth; nothing here can fail: what cannot be known is unknown.

pub(crate) mod dates;
mod functions;
mod logic;
mod number;
mod run;
mod store;
mod value;

pub(crate) use number::as_json;
pub(crate) use run::{Run, Scope};
pub(crate) use store::Store;
pub(crate) use value::Val;
