//! Rows of any table, read from one database and written to another, for moving house. Which tables there are, what their
//! columns hold and how they hang together is asked of the databases themselves, so a table that is added tomorrow is
//! moved without a line here. Only what is not moved as it stands is listed: [`LEFT`] and [`REFILLED`].

mod catalogue;
mod cells;
mod marker;
mod reading;
mod writing;

pub use catalogue::{Column, Reference, Sort, Table, tables};
pub use cells::{Cell, Row, Tally};
pub use marker::{Marker, begin_if_new, end, marker, step};
pub use reading::{Key, count, is_empty, key_of, open, page, tally, users};
pub use writing::{analyse, clear, insert, open_to_write, renumber};

use diesel::Connection as _;

use super::DbConn;
use crate::error::Result;

/// Tables whose rows stay where they are, each with the reason.
pub const LEFT: &[(&str, &str)] =
    &[("changes", "its numbers are the database's own; every phone begins a new epoch")];

/// Tables that hold rows before anything was moved to them, each with the reason. They are moved last, and emptied first.
pub const REFILLED: &[(&str, &str)] = &[
    ("audit_unsealed", "a trigger of audit_events fills it"),
    ("feed_epochs", "its migration writes the first row"),
];

/// Whether the rows of this table are moved.
pub fn is_moved(table: &Table) -> bool {
    LEFT.iter().all(|(name, _)| *name != table.name)
}

/// Whether this table may hold rows although nothing was moved to it yet.
pub fn is_refilled(table: &Table) -> bool {
    REFILLED.iter().any(|(name, _)| *name == table.name)
}

/// Does `work` in one transaction: all of it stands, or nothing.
pub fn at_once<T>(conn: &mut DbConn, work: impl FnOnce(&mut DbConn) -> Result<T>) -> Result<T> {
    conn.transaction(work)
}

/// A name as SQL writes it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Names as SQL writes them in a list.
fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.map(quoted).collect::<Vec<_>>().join(", ")
}
