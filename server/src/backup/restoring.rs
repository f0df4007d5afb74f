//! Making a data folder from a snapshot. Everything is checked before the folder gets its name; a restore that fails or is
//! interrupted leaves none.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::manifest::{Counts, Manifest, each_file, hash};
use super::{
    DATABASE, KEYS, MEDIA, Progress, SNAPSHOTS, STORE_KEYS, copy_file, copy_keys, failed, make_folder, sync,
};
use crate::audit::{self, Event};
use crate::clock::{Clock, Ids};
use crate::config::Config;
use crate::db::{self, By, Db};
use crate::error::{Error, Result};
use crate::feed;
use crate::media::{Copied, KeptFiles};

/// A data folder that was restored.
#[derive(Clone, Debug)]
pub struct Restored {
    /// The snapshot's own name.
    pub snapshot: String,
    /// What the snapshot said of itself; the data folder is that.
    pub manifest: Manifest,
}

/// Makes the data folder of `config` from the snapshot `name` in `backup`; without a name, from the latest.
///
/// # Errors
/// `data_dir_not_empty`, `no_snapshot`, and `backup_damaged` when something in the backup is not what its manifest says.
pub fn restore(config: &Config, backup: &Path, name: Option<&str>, progress: Progress) -> Result<Restored> {
    if config.database.url.is_some() {
        let detail = "a backup is restored to the embedded database: take database.url out of the settings, or use \
                      nigran transfer afterwards";
        return Err(Error::invalid("not_sqlite", detail));
    }
    refuse_to_write_over(&config.data_dir)?;
    let snapshot = find(backup, name)?;
    let manifest = Manifest::read(&snapshot)?;
    let draft = beside(&config.data_dir);
    let _ = fs::remove_dir_all(&draft);
    make_folder(&draft.join("media"))?;
    let database = draft.join(DATABASE);
    copy_file(&snapshot.join(DATABASE), &database)?;
    check_database(&database, &manifest)?;
    let store_keys = (snapshot.join(STORE_KEYS), draft.join("media").join(STORE_KEYS));
    copy_keys(&snapshot.join(KEYS), &draft.join("keys"), (&store_keys.0, &store_keys.1))?;
    if config.media.endpoint.is_none() {
        bring_photos(&database, backup, &draft, &manifest, progress)?;
    }
    let shown = snapshot.file_name().unwrap_or_default().to_string_lossy().into_owned();
    wake(&database, &shown, &manifest)?;
    sync(&draft)?;
    let _ = fs::remove_dir(&config.data_dir);
    fs::rename(&draft, &config.data_dir).map_err(|cause| failed("naming", &config.data_dir, &cause))?;
    Ok(Restored { snapshot: shown, manifest })
}

fn refuse_to_write_over(data_dir: &Path) -> Result<()> {
    let is_empty = fs::read_dir(data_dir).map_or(true, |mut entries| entries.next().is_none());
    match is_empty {
        true => Ok(()),
        false => Err(Error::conflict(
            "data_dir_not_empty",
            format!("{} is not empty; nothing is written over: move it away first", data_dir.display()),
        )),
    }
}

/// The folder of the snapshot called `name`, or of the latest one.
fn find(backup: &Path, name: Option<&str>) -> Result<PathBuf> {
    let folder = backup.join(SNAPSHOTS);
    let entries = fs::read_dir(&folder).map_err(|cause| failed("reading the backup", &folder, &cause))?;
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    let found = match name {
        Some(name) => names.into_iter().find(|known| known == name),
        None => names.pop(),
    };
    found.map(|name| folder.join(name)).ok_or_else(|| {
        Error::not_found(
            "no_snapshot",
            format!("{} holds no such snapshot; nigran backup takes one", backup.display()),
        )
    })
}

fn beside(data_dir: &Path) -> PathBuf {
    let mut name = data_dir.file_name().unwrap_or_default().to_owned();
    name.push(".restoring");
    data_dir.with_file_name(name)
}

fn check_database(database: &Path, manifest: &Manifest) -> Result<()> {
    let (sha256, _) = hash(database)?;
    if sha256 != manifest.database_sha256 {
        return Err(damaged("the database is not the one that was saved"));
    }
    match db::look(database, Counts::of)? == manifest.counts {
        true => Ok(()),
        false => Err(damaged("the database does not hold what the manifest says")),
    }
}

/// Copies the photos the database knows, and checks the content of each.
fn bring_photos(
    database: &Path,
    backup: &Path,
    draft: &Path,
    manifest: &Manifest,
    progress: Progress,
) -> Result<()> {
    let pool = KeptFiles::of(&backup.join(MEDIA), &manifest.bucket);
    let store = KeptFiles::of(&draft.join("media"), &manifest.bucket);
    let mut seen = 0;
    db::look(database, |conn| {
        each_file(conn, |sha256, _| {
            let copied =
                pool.copy(sha256, &store)?.map_err(|cause| failed("copying photos to", draft, &cause))?;
            if copied == Copied::Missing || !store.is_sound(sha256)? {
                return Err(damaged(&format!("the photo {sha256} is missing or not what it was")));
            }
            seen += 1;
            progress(seen, manifest.counts.files);
            Ok(())
        })
    })
}

/// Brings the database to this program's shape, records that it was restored, and has every phone begin its reading of
/// changes anew: what it heard after the snapshot is no longer so.
fn wake(database: &Path, name: &str, manifest: &Manifest) -> Result<()> {
    let url = format!("sqlite:{}", database.display());
    db::migrate(&url)?;
    let db = Db::open(&url, Clock::System, Ids::Random)?;
    let details = json!({ "taken_at": manifest.taken_at, "chain_ended_in": manifest.counts.chain_ends_in });
    let name = name.to_owned();
    db.write_here(By::system(), move |tx| {
        feed::begin_anew(tx)?;
        audit::record(tx, Event::new("data.restored", "snapshot", &name, details.clone()))
    })?;
    db.close();
    Ok(())
}

fn damaged(what: &str) -> Error {
    Error::conflict("backup_damaged", format!("{what}; use another snapshot"))
}
