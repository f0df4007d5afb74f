//! Moving house: database, photos and signing keys from one place to another, from the embedded default to PostgreSQL and
//! a bucket of one's own, or back. The old house is only read. The new one is no house until everything in it has been
//! counted, added up and compared: until then a marker stands in its database, and no server starts on it.
//!
//! A move that was interrupted goes on where it was. What a newcomer would get wrong: nothing is ever written over. A new
//! house that holds anything, or an old one that was used since the move began, ends the move with a sentence that says so.

mod checking;
mod ends;
mod keys;
mod photos;
mod rows;

use serde_json::json;

use crate::audit::{self, Event};
use crate::clock::{Clock, Ids};
use crate::config::Config;
use crate::db::{By, Db, copying};
use crate::error::Result;
use crate::feed;
use ends::Ends;

/// What is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Rows are copied.
    Rows,
    /// Photos, documents and pieces of uploads are copied and read back.
    Photos,
    /// All rows are read on both sides and compared.
    Checking,
}

/// Told how far a stage has come: how many, of how many.
pub type Progress<'p> = &'p mut dyn FnMut(Stage, u64, u64);

/// A move that is done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Tables.
    pub tables: usize,
    /// Rows in them.
    pub rows: u64,
    /// Photos and documents that are in the new store as they were in the old.
    pub files: u64,
    /// Those of them that were copied by this run.
    pub copied: u64,
    /// Photos and documents the database knows and the old store has not.
    pub missing: Vec<String>,
    /// Photos and documents that are damaged in the old store.
    pub damaged: Vec<String>,
    /// Whether both houses use the same photo store, so that photos stayed where they are.
    pub same_store: bool,
    /// Whether an earlier run had begun.
    pub went_on: bool,
    /// The hash the chain of the audit log ended in when it was moved.
    pub chain_ended_in: Option<String>,
}

/// Moves everything from the house of one set of settings to that of another. Blocks; to be called from a thread of a
/// runtime that may be blocked.
///
/// # Errors
/// When either house is not what it should be, when they cannot be reached, and when what arrived is not what was sent.
/// The move can be tried again after all but the last.
pub fn transfer(from: &Config, to: &Config, progress: Progress) -> Result<Moved> {
    let mut ends = Ends::open(from, to)?;
    let moved = everything(&mut ends, from, to, progress);
    let houses = (ends.from, ends.to);
    ends.close();
    let moved = moved?;
    open_the_house(&to.database_url(), houses, &moved)?;
    Ok(moved)
}

fn everything(ends: &mut Ends, from: &Config, to: &Config, progress: Progress) -> Result<Moved> {
    keys::copy(&from.data_dir, &to.data_dir)?;
    let rows = rows::copy(ends, progress)?;
    let photos = photos::copy(ends, progress)?;
    checking::check(ends, rows, progress)?;
    copying::analyse(&mut ends.target)?;
    Ok(Moved {
        tables: ends.tables.len(),
        rows,
        files: photos.sound,
        copied: photos.copied,
        missing: photos.missing,
        damaged: photos.damaged,
        same_store: ends.to_media.is_none(),
        went_on: ends.went_on,
        chain_ended_in: ends.chain.head.clone(),
    })
}

/// Takes the marker away, records the move and has every phone begin its reading of changes anew, all at once.
fn open_the_house(url: &str, (from, to): (&str, &str), moved: &Moved) -> Result<()> {
    let details = json!({
        "from": from, "to": to, "rows": moved.rows, "files": moved.files, "missing": moved.missing.len(),
        "damaged": moved.damaged.len(), "chain_ended_in": moved.chain_ended_in,
    });
    let db = Db::open(url, Clock::System, Ids::Random)?;
    db.write_here(By::system(), move |tx| {
        copying::end(tx.conn)?;
        feed::begin_anew(tx)?;
        audit::record(tx, Event::new("data.transferred", "house", "nigran", details.clone()))
    })?;
    db.close();
    Ok(())
}
