//! The hold of a server on its SQLite file. Two servers on one file would each believe they are the one writer, take over
//! each other's jobs, and answer from memories the other never refreshes; so the second is refused. Tools that come and go
//! (`nigran account …`) need no hold. On PostgreSQL any number of servers work together, and there is none.

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::admission::file_of;
use super::connection::Backend;
use crate::error::{Error, Result};

/// A hold. It ends when it is released, dropped, or the process ends in any way.
pub struct Hold(Mutex<Option<File>>);

/// Takes the hold on the database at `url`.
///
/// # Errors
/// `database_in_use` when another server has it.
pub fn hold(url: &str) -> Result<Hold> {
    if Backend::of(url)? == Backend::Postgres {
        return Ok(Hold(Mutex::new(None)));
    }
    let path = beside(url, "lock");
    let failed = |cause: std::io::Error| {
        Error::invalid(
            "database_not_writable",
            format!(
                "{} cannot be written ({cause}); the server needs to write into its folder",
                path.display()
            ),
        )
    };
    let mut file = lockable(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {
            // Who holds it, for whoever is refused. That it cannot be written is no reason not to serve.
            let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
            Ok(Hold(Mutex::new(Some(file))))
        }
        Err(TryLockError::WouldBlock) => Err(in_use(url, &mut file)),
        Err(TryLockError::Error(cause)) => Err(failed(cause)),
    }
}

fn in_use(url: &str, file: &mut File) -> Error {
    let mut holder = String::new();
    let _ = file.rewind().and_then(|()| file.read_to_string(&mut holder).map(drop));
    let holder = match holder.trim() {
        "" => String::new(),
        pid => format!(" (process {pid})"),
    };
    Error::conflict(
        "database_in_use",
        format!(
            "another server{holder} uses {}; stop it first. Several servers at once need PostgreSQL (database.url)",
            file_of(url).display()
        ),
    )
}

/// Opens a file to lock it, making it if need be. One that another user made (root, with a tool) can only be read, which is
/// enough.
pub(super) fn lockable(path: &Path) -> std::io::Result<File> {
    match File::options().create(true).truncate(false).read(true).write(true).open(path) {
        Err(cause) if cause.kind() == ErrorKind::PermissionDenied => File::open(path),
        opened => opened,
    }
}

/// A file beside the SQLite file: `nigran.sqlite.lock`.
pub(super) fn beside(url: &str, extension: &str) -> PathBuf {
    let file = file_of(url);
    let name = file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    file.with_file_name(format!("{name}.{extension}"))
}

impl Hold {
    /// Lets go of the database: the server has stopped.
    pub fn release(&self) {
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}
