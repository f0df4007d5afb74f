//! HTTP, for every room alike: problem documents, limits, request ids, conditional requests, pages.
//! Rooms bring their handlers; this module knows how they are spoken to.

mod acting;
pub mod api;
mod description;
pub(crate) mod draining;
pub(crate) mod health;
mod jobs;
pub(crate) mod listening;
mod log;
mod page;
mod problem;
mod request;

pub(crate) mod patience;
pub(crate) mod tls;
pub(crate) mod unpacking;
pub(crate) mod watch;

pub use acting::{Contested, KnownVersion, OnPage, PathId};
pub(crate) use acting::{needed_words, path_id, words};
pub use page::{Cursor, Page};
pub use problem::{Problem, Problems};
pub(crate) use request::{body, if_match, known_tag, tagged};
