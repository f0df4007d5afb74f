//! Backups of a machine that runs on the embedded database and the embedded photo store. A backup folder holds any number
//! of snapshots and one pool of photos they share, so that a nightly backup copies the new photos only:
//!
//! ```text
//! BACKUP/media/…                        the photos, each under the hash of its content
//! BACKUP/snapshots/2026-11-24T210000.000Z/  one instant: nigran.sqlite, keys/, store-keys.json, manifest.json
//! ```
//!
//! A snapshot is one instant of the database, taken while the server runs; the manifest is written last, so a folder
//! without one is no snapshot. Restoring checks everything (hashes, counts, the chain of the audit log) before the
//! data folder gets its name.

mod manifest;
mod restoring;
mod taking;

pub use manifest::{Counts, Manifest};
pub use restoring::{Restored, restore};
pub use taking::{Taken, take};

/// Told of every file that is dealt with: how many so far, of how many.
pub type Progress<'p> = &'p mut dyn FnMut(u64, u64);

use std::fs::{self, File};
use std::path::Path;

use crate::error::{Error, Result};

const DATABASE: &str = "nigran.sqlite";
const KEYS: &str = "keys";
const STORE_KEYS: &str = "store-keys.json";
const MANIFEST: &str = "manifest.json";
const SNAPSHOTS: &str = "snapshots";
const MEDIA: &str = "media";

/// The failure of `doing` something with a file or folder, which the person at the terminal can act on.
fn failed(doing: &str, path: &Path, cause: &std::io::Error) -> Error {
    Error::unavailable("disk", format!("{doing} {}: {cause}", path.display()))
}

fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|cause| failed("making the folder", path, &cause))
}

/// Copies one file and brings the copy onto the disk.
fn copy_file(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).map_err(|cause| failed("copying", from, &cause))?;
    sync(to)
}

fn sync(path: &Path) -> Result<()> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|cause| failed("writing", path, &cause))
}

/// The signing keys and the store's own keys, which live beside the database.
fn copy_keys(from: &Path, to: &Path, store_keys: (&Path, &Path)) -> Result<()> {
    make_folder(to)?;
    let entries = fs::read_dir(from).map_err(|cause| failed("reading", from, &cause))?;
    let keys = entries.flatten().map(|entry| entry.path());
    for key in keys.filter(|path| path.extension().is_some_and(|it| it == "pem")) {
        if let Some(name) = key.file_name() {
            copy_file(&key, &to.join(name))?;
        }
    }
    match store_keys.0.is_file() {
        true => copy_file(store_keys.0, store_keys.1),
        false => Ok(()),
    }?;
    sync(to)
}
