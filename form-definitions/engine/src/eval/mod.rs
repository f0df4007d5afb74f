//! Runs typed trees. Three values of truth; nothing here can fail: what cannot be known is unknown.

mod causes;
mod counts;
pub(crate) mod dates;
mod functions;
mod logic;
mod macros;
mod memo;
mod number;
mod run;
mod scores;
mod store;
mod value;

pub(crate) use causes::Cause;
pub(crate) use logic::equal;
pub(crate) use memo::Memo;
pub(crate) use number::as_json;
pub(crate) use run::{MOST_AREAS, Run, Scope, Seen};
pub(crate) use scores::weigh;
pub(crate) use store::{Cell, Raw, Store};
pub(crate) use value::Val;
