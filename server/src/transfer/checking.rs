//! Is what arrived what was sent? All rows are read once more on both sides, counted and added up by their hashes, and the
//! chain of the audit log is walked in the new house.

use super::ends::Ends;
use super::{Progress, Stage};
use crate::audit;
use crate::db::copying;
use crate::error::{Error, Result};

/// Compares both houses. `rows` is how many there are.
///
/// # Errors
/// `transfer_differs`; the new house keeps its marker, so no server starts on it.
pub(super) fn check(ends: &mut Ends, rows: u64, progress: Progress) -> Result<()> {
    let mut seen = 0;
    for table in &ends.tables {
        let mut count = |page: u64| {
            seen += page;
            progress(Stage::Checking, seen, rows * 2);
        };
        let here = copying::tally(&mut ends.source, table, &mut count)?;
        let there = copying::tally(&mut ends.target, table, &mut count)?;
        if here != there {
            return Err(differs(&format!(
                "the table {} has {} rows in the old house and {} in the new, and they are not the same",
                table.name, here.rows, there.rows
            )));
        }
    }
    let there = audit::verify(&mut ends.target)?;
    let same = there.faults.is_empty()
        && there.sealed == ends.chain.sealed
        && there.head == ends.chain.head
        && there.unsealed == ends.chain.unsealed;
    match same {
        true => Ok(()),
        false => Err(differs("the audit log did not arrive as it was")),
    }
}

fn differs(what: &str) -> Error {
    let detail = format!(
        "{what}; the old house is as it was. Empty the database of --to and its photo store, and begin anew"
    );
    Error::conflict("transfer_differs", detail)
}
