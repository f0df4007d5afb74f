//! The two houses: opened, looked at, and refused where moving would lose or mix something.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::audit::{self, Report};
use crate::config::Config;
use crate::db::copying::{self, Marker, Table};
use crate::db::{self, DbConn};
use crate::error::{Error, Result};
use crate::media::Media;

/// Where a store that needs no folder of its own is given one while it is moved.
const SCRATCH: &str = "transfer";

/// How often, and after which pause, it is looked whether others have gone.
const LOOKS: usize = 20;
const MOMENT: Duration = Duration::from_millis(150);

/// Both houses, open.
pub(super) struct Ends {
    pub(super) source: DbConn,
    pub(super) target: DbConn,
    /// What the databases are, in a word: for the log.
    pub(super) from: &'static str,
    pub(super) to: &'static str,
    pub(super) from_media: Media,
    /// None: both use the same store.
    pub(super) to_media: Option<Media>,
    /// The tables whose rows are moved, in the order they are.
    pub(super) tables: Vec<Table>,
    pub(super) marker: Marker,
    pub(super) went_on: bool,
    /// What the log of the old house says.
    pub(super) chain: Report,
    scratch: Option<PathBuf>,
}

impl Ends {
    pub(super) fn open(from: &Config, to: &Config) -> Result<Ends> {
        let (old, new) = (from.database_url(), to.database_url());
        if old == new {
            return Err(Error::invalid(
                "transfer_to_itself",
                "both ends name the same database; name another for --to",
            ));
        }
        let mut source = copying::open(&old)?;
        check_shape(&mut source)?;
        if !from.data_dir.is_dir() {
            let detail =
                format!("there is no data folder {}; check data_dir of --from", from.data_dir.display());
            return Err(Error::not_found("source_missing", detail));
        }
        // A server that runs holds the folder's lock, and connections to PostgreSQL.
        let from_media = start(from, &from.data_dir)?;
        check_alone(&mut source, "the database that is moved")?;
        let chain = sound_log(&mut source)?;
        let known = format!("{} {:?} {}", chain.sealed, chain.head, chain.unsealed.len());
        let mut tables = movable(&mut source)?;
        let (mut target, marker, went_on) = prepare(to, &new, &known)?;
        fit(&mut tables, &movable(&mut target)?)?;
        let (to_media, scratch) = target_store(from, to)?;
        if let (Some(media), false) = (&to_media, went_on)
            && !Handle::current().block_on(media.is_empty())?
        {
            return Err(not_empty("the photo store of --to holds files"));
        }
        let (from, to) = (word(&old), word(&new));
        copying::begin_if_new(&mut target, &known, went_on)?;
        Ok(Ends { source, target, from, to, from_media, to_media, tables, marker, went_on, chain, scratch })
    }

    pub(super) fn close(self) {
        Handle::current().block_on(async {
            self.from_media.stop().await;
            if let Some(media) = &self.to_media {
                media.stop().await;
            }
        });
        if let Some(scratch) = self.scratch {
            let _ = std::fs::remove_dir_all(scratch);
        }
    }
}

fn word(url: &str) -> &'static str {
    match db::Backend::of(url) {
        Ok(db::Backend::Postgres) => "postgresql",
        _ => "sqlite",
    }
}

fn not_empty(what: &str) -> Error {
    Error::conflict("target_not_empty", format!("{what}; nothing is written over: name an empty one"))
}

/// The old house must have the shape this program knows: it is not changed to have it.
fn check_shape(source: &mut DbConn) -> Result<()> {
    let (found, known) = (db::shape(source)?, db::newest_shape()?);
    if found == known {
        return Ok(());
    }
    let detail = format!(
        "the database that is moved has the shape {}, this program knows {known}; bring it there with the version of the \
         program it belongs to, or with nigran migrate",
        if found.is_empty() { "of another program" } else { &found }
    );
    Err(Error::conflict("schema_differs", detail))
}

/// Nobody else may use a database that is moved. A transfer that was killed lingers there for a moment.
fn check_alone(conn: &mut DbConn, what: &str) -> Result<()> {
    let mut others = copying::users(conn)?;
    for _ in 0..LOOKS {
        if others == 0 {
            return Ok(());
        }
        std::thread::sleep(MOMENT);
        others = copying::users(conn)?;
    }
    Err(Error::conflict(
        "database_in_use",
        format!("{others} others are connected to {what}; stop the servers that use it first"),
    ))
}

fn sound_log(source: &mut DbConn) -> Result<Report> {
    let report = audit::verify(source)?;
    match report.faults.first() {
        None => Ok(report),
        Some(fault) => Err(Error::conflict(
            "audit_not_as_written",
            format!("the audit log is not as it was written: {fault}; see nigran audit verify"),
        )),
    }
}

/// The tables whose rows are moved: first those that nothing else fills.
fn movable(conn: &mut DbConn) -> Result<Vec<Table>> {
    let mut tables: Vec<Table> = copying::tables(conn)?.into_iter().filter(copying::is_moved).collect();
    tables.sort_by_key(copying::is_refilled);
    Ok(tables)
}

/// Makes sure that both houses have the same tables. What the new one numbers by itself is its own affair.
fn fit(ours: &mut [Table], theirs: &[Table]) -> Result<()> {
    same_tables(ours, theirs)?;
    for table in ours {
        let there = theirs.iter().find(|there| there.name == table.name);
        table.numbered = there.and_then(|there| there.numbered.clone());
    }
    Ok(())
}

fn same_tables(ours: &[Table], theirs: &[Table]) -> Result<()> {
    let columns = |tables: &[Table]| {
        let mut all: Vec<_> =
            tables.iter().map(|table| (table.name.clone(), table.columns.clone())).collect();
        all.sort_by(|one, other| one.0.cmp(&other.0));
        all
    };
    let (ours, theirs) = (columns(ours), columns(theirs));
    if ours == theirs {
        return Ok(());
    }
    let differs = ours.iter().chain(&theirs).find(|table| !(ours.contains(table) && theirs.contains(table)));
    let name = differs.map_or("", |(name, _)| name);
    Err(Error::conflict("schema_differs", format!("the table {name} has other columns on the two sides")))
}

/// Opens the new house's database: an empty one is given its shape, one that was begun is gone on with.
fn prepare(to: &Config, url: &str, known: &str) -> Result<(DbConn, Marker, bool)> {
    std::fs::create_dir_all(&to.data_dir).map_err(|cause| {
        Error::unavailable("disk", format!("making the folder {}: {cause}", to.data_dir.display()))
    })?;
    let mut target = copying::open_to_write(url)?;
    check_alone(&mut target, "the database of --to")?;
    if let Some(marker) = copying::marker(&mut target)? {
        if marker.source == known {
            return Ok((target, marker, true));
        }
        return Err(Error::conflict(
            "source_changed",
            "a transfer into this database was begun from another one, or the one that is moved was used since: empty \
             the database of --to and its photo store, and begin anew",
        ));
    }
    let foreign = || not_empty("the database of --to holds another program's tables");
    let tables = copying::tables(&mut target).map_err(|_| foreign())?;
    if !tables.is_empty() && db::shape(&mut target)?.is_empty() {
        return Err(foreign());
    }
    for table in tables.iter().filter(|table| !copying::is_refilled(table)) {
        if !copying::is_empty(&mut target, table)? {
            return Err(not_empty(&format!("the table {} of the database of --to holds rows", table.name)));
        }
    }
    db::migrate(url)?;
    Ok((target, Marker::default(), false))
}

/// The store of the new house, unless it is the old one's.
fn target_store(from: &Config, to: &Config) -> Result<(Option<Media>, Option<PathBuf>)> {
    let same_folder = same(&from.data_dir, &to.data_dir);
    match (&from.media.endpoint, &to.media.endpoint) {
        (None, None) if same_folder => Ok((None, None)),
        (Some(old), Some(new)) if old == new && from.media.bucket == to.media.bucket => Ok((None, None)),
        (_, None) if same_folder => {
            // Its lock is ours already; the store is the same process's.
            Err(Error::invalid(
                "transfer_to_itself",
                "a bucket cannot be moved into the data folder it is moved from; name a new data_dir for --to",
            ))
        }
        (_, None) => Ok((Some(start(to, &to.data_dir)?), None)),
        (_, Some(_)) => {
            let scratch = to.data_dir.join(SCRATCH);
            Ok((Some(start(to, &scratch)?), Some(scratch)))
        }
    }
}

fn start(config: &Config, folder: &Path) -> Result<Media> {
    Handle::current().block_on(Media::start(config.media.clone(), folder))
}

fn same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}
