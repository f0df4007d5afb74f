//! Corrections: what follows a revision that was sent back. A phone sends the whole envelope again, or only the answers it
//! corrects; either way the outcome is an ordinary revision, judged in full by the rules every revision is judged by.

mod patching;
mod returned;
mod routes;

pub(super) use returned::{Before, Returned, correction, flags};
pub(super) use routes::correct;
