//! The rows, table by table, page by page. A page and the note of how far it went are one transaction, so a move that is
//! killed at any moment goes on with the page after the last one that arrived.

use super::ends::Ends;
use super::{Progress, Stage};
use crate::db::copying::{self, Key, Table};
use crate::error::{Error, Result};

/// What the marker says of a table that has arrived.
const DONE: &str = "done";

/// Copies all rows that are not there yet, and says how many there are in all.
pub(super) fn copy(ends: &mut Ends, progress: Progress) -> Result<u64> {
    let mut counts = Vec::new();
    for table in &ends.tables {
        counts.push(copying::count(&mut ends.source, table)?.unsigned_abs());
    }
    let all = counts.iter().sum();
    let mut before = 0;
    for (table, count) in ends.tables.clone().iter().zip(counts) {
        let place = ends.marker.places.get(&table.name).cloned();
        if place.as_deref() != Some(DONE) {
            let mut here = 0;
            copy_table(ends, table, place, |rows| {
                here += rows;
                progress(Stage::Rows, before + here, all);
            })?;
        }
        before += count;
        progress(Stage::Rows, before, all);
    }
    Ok(all)
}

fn copy_table(
    ends: &mut Ends,
    table: &Table,
    mut place: Option<String>,
    mut seen: impl FnMut(u64),
) -> Result<()> {
    let mut after: Option<Key> = place.as_deref().map(read).transpose()?;
    let mut last = Vec::new();
    loop {
        let rows = copying::page(&mut ends.source, table, after.as_ref(), &last)?;
        let reached = match rows.last() {
            Some(row) => {
                let key = copying::key_of(table, row)?;
                after = Some(key.clone());
                write(&key)?
            }
            None => DONE.to_owned(),
        };
        let count = rows.len() as u64;
        last.clone_from(&rows);
        copying::at_once(&mut ends.target, |conn| {
            if place.is_none() && copying::is_refilled(table) {
                copying::clear(conn, table)?;
            }
            match rows.is_empty() {
                true => copying::renumber(conn, table)?,
                false => copying::insert(conn, table, rows)?,
            }
            copying::step(conn, &table.name, place.as_deref(), &reached)
        })?;
        if reached == DONE {
            return Ok(());
        }
        seen(count);
        place = Some(reached);
    }
}

fn read(place: &str) -> Result<Key> {
    serde_json::from_str(place)
        .map_err(|cause| Error::internal("reading how far the transfer had come", cause))
}

fn write(key: &Key) -> Result<String> {
    serde_json::to_string(key).map_err(|cause| Error::internal("noting how far the transfer has come", cause))
}
