//! What `nigran boundaries import|fetch|list` do, with reports that are printed as they are.

use std::fmt::{Display, Formatter, Result as Written};
use std::path::Path;

use super::fetch::fetch;
use super::head::ImportOptions;
use super::import::{self, ImportOutcome, Imported};
use super::model::BoundarySet;
use super::read::{self, MAX_BYTES};
use super::store;
use crate::db::{By, Db, DbConn};
use crate::error::{Error, Result};

/// Imports a GeoJSON file. Blocks; for a command line or a start-up.
pub fn import_file(db: &Db, path: &Path, options: &ImportOptions) -> Result<Imported> {
    let unreadable = |why: String| {
        Error::invalid("boundary_file_unreadable", format!("{} cannot be read: {why}", path.display()))
    };
    let size = std::fs::metadata(path).map_err(|cause| unreadable(cause.to_string()))?.len();
    if size > MAX_BYTES as u64 {
        return Err(unreadable(format!("it is larger than {} MiB", MAX_BYTES / 1024 / 1024)));
    }
    let bytes = std::fs::read(path).map_err(|cause| unreadable(cause.to_string()))?;
    import_bytes(db, &bytes, options)
}

/// Imports a GeoJSON text. A file that was imported before is not read again.
pub fn import_bytes(db: &Db, bytes: &[u8], options: &ImportOptions) -> Result<Imported> {
    let sha256 = read::sha256(bytes);
    if let Some(set) = db.read_here(|conn| store::set_with_hash(conn, &sha256))? {
        return Ok(Imported { set, outcome: ImportOutcome::AlreadyThere, warnings: Vec::new() });
    }
    let read = read::read(bytes, options)?;
    db.write_here(By::system(), move |tx| import::import(tx, &read))
}

/// Fetches a set and imports it.
pub async fn fetch_and_import(db: &Db, url: &str, options: ImportOptions) -> Result<Imported> {
    let fetched = fetch(url, options).await?;
    let db = db.clone();
    tokio::task::spawn_blocking(move || import_bytes(&db, &fetched.bytes, &fetched.options))
        .await
        .map_err(|cause| Error::internal("importing boundaries", cause))?
}

/// Every set that was imported, in that order.
pub fn list(conn: &mut DbConn) -> Result<SetList> {
    store::sets(conn).map(SetList)
}

impl Display for Imported {
    fn fmt(&self, f: &mut Formatter<'_>) -> Written {
        let set = &self.set;
        match self.outcome {
            ImportOutcome::Added => writeln!(
                f,
                "imported {}: {} areas of level {}, {}",
                set.set_id, set.area_count, set.level, set.vintage
            )?,
            ImportOutcome::AlreadyThere => {
                writeln!(
                    f,
                    "nothing to do: this file was imported as {} on {}",
                    set.set_id, set.imported_at
                )?;
            }
        }
        writeln!(f, "  licence {}; lines within {} m", set.licence, set.line_uncertainty_m)?;
        self.warnings.iter().try_for_each(|warning| writeln!(f, "  note: {warning}"))
    }
}

/// The sets, printed as a table.
#[derive(Clone, Debug)]
pub struct SetList(pub Vec<BoundarySet>);

impl Display for SetList {
    fn fmt(&self, f: &mut Formatter<'_>) -> Written {
        if self.0.is_empty() {
            return writeln!(f, "no boundary sets; see `nigran boundaries import --help`");
        }
        let width = self.0.iter().map(|set| set.set_id.chars().count()).max().unwrap_or(0).max(3);
        writeln!(f, "{:width$}  level  areas  {:10}  {:20}  imported", "set", "vintage", "licence")?;
        for set in &self.0 {
            let (id, level, areas, licence, at) =
                (&set.set_id, set.level, set.area_count, &set.licence, set.imported_at);
            let vintage = set.date();
            writeln!(f, "{id:width$}  {level:5}  {areas:5}  {vintage:10}  {licence:20}  {at}")?;
        }
        Ok(())
    }
}
