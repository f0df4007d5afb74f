//! HTTP, for every room alike: problem documents, limits, request ids, compression, and the server itself.
//! Rooms bring their handlers; this module knows how they are spoken to.

mod page;
mod problem;

pub use page::{Cursor, Page};
pub use problem::{Problem, Problems};
