//! Copies of the store's files, for backup and restore: taken beside a running store, which never changes an object
//! once it is there.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::object::Object;
use super::paths;
use crate::error::Result;
use crate::media::model::MediaHash;

/// What came of copying one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// It was copied: so many bytes.
    New(u64),
    /// A copy was there already.
    Already,
    /// There is nothing to copy, or what there is is damaged.
    Missing,
}

/// The files of an embedded store, or of a copy of one, by the hash of their content.
pub struct KeptFiles {
    bucket: PathBuf,
}

impl KeptFiles {
    /// Those of `bucket` in the folder a store or a backup has for media.
    pub fn of(media_dir: &Path, bucket: &str) -> KeptFiles {
        KeptFiles { bucket: media_dir.join("store").join(bucket) }
    }

    /// Whether the content of the file is what its name says; false as well when it is not there.
    pub fn is_sound(&self, sha256: &str) -> Result<bool> {
        let path = self.path(sha256)?;
        Ok(Object::open(&path).and_then(digest).is_ok_and(|digest| digest == sha256))
    }

    /// Copies one file to `there`, durably, unless it is there already.
    ///
    /// # Errors
    /// When the disk refuses: it is full, or may not be written.
    pub fn copy(&self, sha256: &str, there: &KeptFiles) -> Result<io::Result<Copied>> {
        let (from, to) = (self.path(sha256)?, there.path(sha256)?);
        Ok(copy(&from, &to))
    }

    fn path(&self, sha256: &str) -> Result<PathBuf> {
        let key = MediaHash::parse(sha256)?.key();
        paths::object_path(&self.bucket, &key)
            .map_err(|cause| crate::error::Error::internal("naming a file of the media store", cause))
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<Copied> {
    if Object::open(to).is_ok() {
        return Ok(Copied::Already);
    }
    if Object::open(from).is_err() {
        return Ok(Copied::Missing);
    }
    let folder = to.parent().ok_or_else(|| io::Error::other("a file outside the store"))?;
    fs::create_dir_all(folder)?;
    // Whole and on the disk before it has its name: a copy that was interrupted is no copy.
    let draft = folder.join(format!(".{}", Uuid::new_v4().simple()));
    let bytes = fs::copy(from, &draft)?;
    File::open(&draft)?.sync_all()?;
    fs::rename(&draft, to)?;
    File::open(folder)?.sync_all()?;
    Ok(Copied::New(bytes))
}

fn digest(object: Object) -> io::Result<String> {
    let mut content = object.file.take(object.label.size);
    let (mut sha256, mut buffer) = (Sha256::new(), vec![0; 256 * 1024]);
    loop {
        match content.read(&mut buffer)? {
            0 => return Ok(hex::encode(sha256.finalize())),
            read => sha256.update(&buffer[..read]),
        }
    }
}
