//! Taking a snapshot beside a running server.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::manifest::{Manifest, each_file};
use super::{DATABASE, KEYS, MEDIA, Progress, SNAPSHOTS, STORE_KEYS, copy_keys, failed, make_folder, sync};
use crate::config::Config;
use crate::db;
use crate::error::{Error, Result};
use crate::media::{Copied, KeptFiles};

/// A snapshot that was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Its folder.
    pub snapshot: PathBuf,
    /// What is in it.
    pub manifest: Manifest,
    /// How many photos were new to the backup, and their bytes.
    pub copied: (u64, u64),
    /// Photos the database knows and the store has not; they could not be copied.
    pub missing: Vec<String>,
}

/// Takes a snapshot of the data folder of `config` into the folder `backup`, which is made if need be.
///
/// The database first, then the photos it knows: a photo is in the store before it is in the database, so none is missed.
pub fn take(config: &Config, backup: &Path, now: DateTime<Utc>, progress: Progress) -> Result<Taken> {
    let name = now.format("%Y-%m-%dT%H%M%S%.3fZ").to_string();
    let snapshot = backup.join(SNAPSHOTS).join(&name);
    if snapshot.exists() {
        let detail = format!("{} is there already; a backup is never written over", snapshot.display());
        return Err(Error::conflict("snapshot_exists", detail));
    }
    let draft = backup.join(SNAPSHOTS).join(format!(".{name}"));
    let _ = fs::remove_dir_all(&draft);
    make_folder(&draft)?;
    let media_dir = config.data_dir.join("media");
    db::snapshot(&config.database_url(), &draft.join(DATABASE))?;
    let store_keys = (media_dir.join(STORE_KEYS), draft.join(STORE_KEYS));
    copy_keys(&config.keys_folder(), &draft.join(KEYS), (&store_keys.0, &store_keys.1))?;
    let manifest = Manifest::of(&draft.join(DATABASE), &config.media.bucket, now.to_rfc3339())?;
    let (copied, missing) = match config.media.endpoint {
        None => copy_photos(&draft, &media_dir, backup, &manifest, progress)?,
        // Photos in a bucket of one's own are backed up by the bucket's own means.
        Some(_) => ((0, 0), Vec::new()),
    };
    manifest.write(&draft)?;
    sync(&draft)?;
    fs::rename(&draft, &snapshot).map_err(|cause| failed("naming", &snapshot, &cause))?;
    sync(&backup.join(SNAPSHOTS))?;
    Ok(Taken { snapshot, manifest, copied, missing })
}

/// Copies what the backup has not got yet.
fn copy_photos(
    draft: &Path,
    media_dir: &Path,
    backup: &Path,
    manifest: &Manifest,
    progress: Progress,
) -> Result<((u64, u64), Vec<String>)> {
    let store = KeptFiles::of(media_dir, &manifest.bucket);
    let pool = KeptFiles::of(&backup.join(MEDIA), &manifest.bucket);
    let (mut copied, mut missing, mut seen) = ((0, 0), Vec::new(), 0);
    db::look(&draft.join(DATABASE), |conn| {
        each_file(conn, |sha256, _| {
            match store.copy(sha256, &pool)?.map_err(|cause| failed("copying photos to", backup, &cause))? {
                Copied::New(bytes) => copied = (copied.0 + 1, copied.1 + bytes),
                Copied::Already => {}
                Copied::Missing => missing.push(sha256.to_owned()),
            }
            seen += 1;
            progress(seen, manifest.counts.files);
            Ok(())
        })
    })?;
    Ok((copied, missing))
}
