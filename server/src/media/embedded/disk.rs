//! The store's folders. Everything here blocks and is called from blocking threads.
//!
//! The order that makes a write durable: content synced, name given by a rename, folder synced; and before the first
//! object of a folder, the folder's own entry synced all the way up to the store.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;

use super::draft::Draft;
use super::object::{Label, Object};
use super::paths;
use super::uploads;

/// Multipart uploads nobody finished are forgotten after this long.
const UPLOADS_LIVE: Duration = Duration::from_secs(7 * 24 * 3600);

/// The store's folders.
pub(super) struct Disk {
    root: PathBuf,
    temp: PathBuf,
    /// Folders whose entries are known to be on the disk, by this process's own syncs.
    durable: Mutex<HashSet<PathBuf>>,
    /// Held by those who put something into a folder, and alone by whoever removes an empty one.
    shape: RwLock<()>,
}

impl Disk {
    /// Opens the store at `root`, making it if need be, and clears away what a crash has left.
    pub(super) fn open(root: PathBuf) -> io::Result<Disk> {
        fs::create_dir_all(&root)?;
        if let Some(above) = root.parent() {
            sync_folder(above)?;
        }
        let temp = root.join(".temp");
        match fs::remove_dir_all(&temp) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
            _ => fs::create_dir(&temp)?,
        }
        sync_folder(&root)?;
        for entry in fs::read_dir(&root)? {
            uploads::forget_old(&entry?.path(), UPLOADS_LIVE);
        }
        Ok(Disk { root, temp, durable: Mutex::new(HashSet::new()), shape: RwLock::new(()) })
    }

    /// Makes a bucket; false: it was there.
    pub(super) fn make_bucket(&self, name: &str) -> io::Result<bool> {
        let folder = self.bucket_folder(name);
        let new = !folder.is_dir();
        self.make_folder(&folder)?;
        Ok(new)
    }

    /// The folder of a bucket; `None` if there is no such bucket.
    pub(super) fn bucket(&self, name: &str) -> Option<PathBuf> {
        let folder = self.bucket_folder(name);
        folder.is_dir().then_some(folder)
    }

    // `s3s` has checked the name (lower-case letters, digits, single dots, hyphens): it is one harmless segment.
    fn bucket_folder(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Begins a file.
    pub(super) fn draft(&self, with_md5: bool) -> io::Result<Draft> {
        Draft::begin(&self.temp, with_md5)
    }

    /// Makes a draft the file at `target`, durably.
    pub(super) fn place(
        &self,
        mut draft: Draft,
        label: &Label,
        target: &Path,
        replace: bool,
    ) -> io::Result<()> {
        let folder = target.parent().unwrap_or(&self.root);
        draft.seal(label)?;
        {
            let _stays = self.shape.read().unwrap_or_else(PoisonError::into_inner);
            self.make_folder(folder)?;
            draft.place(target, replace)?;
        }
        sync_if_there(folder)
    }

    /// Opens the object `key`.
    pub(super) fn object(&self, bucket: &Path, key: &str) -> io::Result<Object> {
        Object::open(&paths::object_path(bucket, key)?)
    }

    /// Removes the object `key`, durably. There being none is no failure, as in S3.
    pub(super) fn remove(&self, bucket: &Path, key: &str) -> io::Result<()> {
        let path = paths::object_path(bucket, key)?;
        match fs::remove_file(&path) {
            Err(cause) if matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(())
            }
            Err(cause) => Err(cause),
            Ok(()) => path.parent().map_or(Ok(()), |folder| self.tidy(bucket, folder)),
        }
    }

    /// Makes the removal of an object durable. A folder it leaves empty goes too: pieces of uploads have a folder for
    /// each upload, and those would pile up.
    fn tidy(&self, bucket: &Path, folder: &Path) -> io::Result<()> {
        let removed = folder != bucket && {
            let _alone = self.shape.write().unwrap_or_else(PoisonError::into_inner);
            let removed = fs::remove_dir(folder).is_ok();
            if removed {
                self.durable().remove(folder);
            }
            removed
        };
        let changed = if removed { folder.parent().unwrap_or(folder) } else { folder };
        sync_if_there(changed)
    }

    /// Makes `folder` and what lies between it and the root, each entry synced. A folder that exists may have been
    /// made by a process that died before its sync, hence a sync for every folder the first time it is seen.
    pub(super) fn make_folder(&self, folder: &Path) -> io::Result<()> {
        if folder == self.root || self.is_durable(folder) {
            return Ok(());
        }
        let above = folder.parent().ok_or_else(|| io::Error::other("a folder outside the store"))?;
        self.make_folder(above)?;
        match fs::create_dir(folder) {
            Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => return Err(cause),
            _ => sync_folder(above)?,
        }
        self.durable().insert(folder.to_owned());
        Ok(())
    }

    fn is_durable(&self, folder: &Path) -> bool {
        self.durable().contains(folder)
    }

    fn durable(&self) -> std::sync::MutexGuard<'_, HashSet<PathBuf>> {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Syncs a folder. That it is gone means that somebody removed its last object meanwhile, and sees to the rest.
fn sync_if_there(folder: &Path) -> io::Result<()> {
    match sync_folder(folder) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        synced => synced,
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
