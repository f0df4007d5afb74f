//! The data folder, and the database it works with. The folder is only made where nobody named it, and it remembers its
//! database: one that was there before and is not there now is a typo or a loss, never a reason to begin anew.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

use crate::config::Config;
use crate::db::{self, Found, Hold};
use crate::error::{Error, Result};

/// Where the folder keeps which database it works with.
const MARKER: &str = "database";

/// Makes sure that the folder can be used and that the database of the settings is the one to be used with it, and
/// brings that to the shape this binary needs. Returns the migrations that were run. For tools that come and go.
pub fn open(config: &Config) -> Result<Vec<String>> {
    let url = checked(config)?;
    migrated(config, &url)
}

/// The same for a server, which holds its database from before the first change to it.
pub fn open_to_serve(config: &Config) -> Result<(Hold, Vec<String>)> {
    let url = checked(config)?;
    let hold = db::hold(&url)?;
    migrated(config, &url).map(|migrated| (hold, migrated))
}

fn checked(config: &Config) -> Result<String> {
    prepare(config)?;
    let url = config.database_url();
    let found = db::admit(&url)?;
    agree(config, &url, found)?;
    Ok(url)
}

fn migrated(config: &Config, url: &str) -> Result<Vec<String>> {
    let migrated = db::migrate(url)?;
    remember(&config.data_dir, &db::place(url))?;
    Ok(migrated)
}

/// Finds the folder, or makes it where it has its default name, and sees that it can be written.
fn prepare(config: &Config) -> Result<()> {
    let folder = &config.data_dir;
    if !folder.exists() {
        if *folder != Config::default().data_dir {
            return Err(Error::invalid(
                "data_folder_missing",
                format!(
                    "there is no data folder {}; correct data_dir, or make the folder if this is a new installation",
                    folder.display()
                ),
            ));
        }
        fs::create_dir(folder).map_err(|cause| not_writable(folder, &cause))?;
    }
    let trial = folder.join(format!(".trial-{}", std::process::id()));
    let written = fs::File::create(&trial).and_then(|mut file| file.write_all(b"nigran"));
    let _ = fs::remove_file(&trial);
    written.map_err(|cause| not_writable(folder, &cause))
}

fn not_writable(folder: &Path, cause: &std::io::Error) -> Error {
    let remedy = match cause.kind() {
        ErrorKind::ReadOnlyFilesystem => {
            "its disk is mounted read-only; look into the kernel's log for why, and mount it to be written"
        }
        ErrorKind::PermissionDenied => "let the user this program runs as own it (chown)",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "its disk is full; free room on it",
        ErrorKind::NotADirectory => "it is a file; name a folder as data_dir",
        _ => "look at the folder and its disk",
    };
    Error::invalid(
        "data_folder_not_writable",
        format!("the data folder {} cannot be written ({cause}): {remedy}", folder.display()),
    )
}

/// An empty database where the folder has worked with one before is refused.
fn agree(config: &Config, url: &str, found: Found) -> Result<()> {
    if found == Found::Ours {
        return Ok(());
    }
    let folder = &config.data_dir;
    let before = match fs::read_to_string(folder.join(MARKER)) {
        Ok(place) => place.trim().to_owned(),
        // A server of an earlier version, which left no marker, left its lock.
        Err(_) if folder.join("media/lock").exists() => "a database".to_owned(),
        Err(_) => return Ok(()),
    };
    Err(Error::conflict(
        "database_missing",
        format!(
            "{} has worked with {before}, and there is nothing at {}; no empty database was made. Correct database.url, or \
             restore the database (docs/OPERATIONS.md); for a new installation name a new data folder",
            folder.display(),
            db::place(url)
        ),
    ))
}

fn remember(folder: &Path, place: &str) -> Result<()> {
    let marker = folder.join(MARKER);
    if fs::read_to_string(&marker).is_ok_and(|known| known.trim() == place) {
        return Ok(());
    }
    let fresh = folder.join(".database.new");
    fs::write(&fresh, format!("{place}\n"))
        .and_then(|()| fs::rename(&fresh, &marker))
        .map_err(|cause| not_writable(folder, &cause))
}
