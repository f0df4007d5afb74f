//! The signing keys, which live beside the database: with them tokens stay good and old receipts can be checked.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

const FOLDER: &str = "keys";

/// Copies the keys of one data folder to another. The same folder: nothing is to do.
///
/// # Errors
/// `target_not_empty` when the other folder has keys of its own: a server there has signed with them.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    let (ours, theirs) = (keys_in(&from.join(FOLDER))?, keys_in(&to.join(FOLDER))?);
    if theirs.iter().any(|(name, key)| ours.get(name) != Some(key)) {
        return Err(Error::conflict(
            "target_not_empty",
            format!(
                "{} holds signing keys of its own; name a new data_dir for --to",
                to.join(FOLDER).display()
            ),
        ));
    }
    for name in ours.keys().filter(|name| !theirs.contains_key(*name)) {
        let (here, there) = (from.join(FOLDER).join(name), to.join(FOLDER).join(name));
        copy_one(&here, &there).map_err(|cause| failed("copying", &here, &cause))?;
    }
    Ok(())
}

/// The keys in a folder by name; there need not be one.
fn keys_in(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let entries = match fs::read_dir(folder) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        read => read.map_err(|cause| failed("reading", folder, &cause))?,
    };
    let files = entries.flatten().map(|entry| entry.path());
    let keys = files.filter(|path| path.extension().is_some_and(|extension| extension == "pem"));
    keys.map(|path| {
        let name = path.file_name().map(PathBuf::from).unwrap_or_default();
        let key = fs::read(&path).map_err(|cause| failed("reading", &path, &cause))?;
        Ok((name, key))
    })
    .collect()
}

/// The copy is whole, on the disk and as private as the original before it has its name.
fn copy_one(here: &Path, there: &Path) -> io::Result<()> {
    let folder = there.parent().ok_or_else(|| io::Error::other("a key outside its folder"))?;
    fs::create_dir_all(folder)?;
    let draft = there.with_extension("draft");
    fs::copy(here, &draft)?;
    File::open(&draft)?.sync_all()?;
    fs::rename(&draft, there)?;
    File::open(folder)?.sync_all()
}

fn failed(doing: &str, path: &Path, cause: &io::Error) -> Error {
    Error::unavailable("disk", format!("{doing} {} for the signing keys: {cause}", path.display()))
}
