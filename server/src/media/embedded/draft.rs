//! A file being written. It lies in `.temp` under a name of its own and becomes an object by one rename; dropped
//! before that, it is removed. What a crash leaves in `.temp` is removed at the next start.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use s3s::crypto::{Checksum, Md5};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::object::Label;

/// A file being written.
pub(super) struct Draft {
    file: File,
    path: PathBuf,
    sha256: Sha256,
    md5: Option<Md5>,
    size: u64,
    placed: bool,
}

/// The content's digests, known once all of it has come.
pub(super) struct Digests {
    pub(super) size: u64,
    pub(super) sha256: [u8; 32],
    pub(super) md5: Option<[u8; 16]>,
}

impl Draft {
    /// Begins a file in `temp`. MD5 is only computed for senders who gave one.
    pub(super) fn begin(temp: &Path, with_md5: bool) -> io::Result<Draft> {
        let path = temp.join(Uuid::new_v4().simple().to_string());
        let file = fs::OpenOptions::new().write(true).create_new(true).open(&path)?;
        Ok(Draft { file, path, sha256: Sha256::new(), md5: with_md5.then(Md5::new), size: 0, placed: false })
    }

    /// Adds `bytes` to the content.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.sha256.update(bytes);
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// The digests of what was written.
    pub(super) fn digests(&mut self) -> Digests {
        Digests {
            size: self.size,
            sha256: std::mem::take(&mut self.sha256).finalize().into(),
            md5: self.md5.take().map(Checksum::finalize),
        }
    }

    /// Labels the content and brings it onto the disk. It is not visible yet.
    pub(super) fn seal(&mut self, label: &Label) -> io::Result<()> {
        self.file.write_all(&label.tail()?)?;
        self.file.sync_data()
    }

    /// Makes sealed content visible at `target`, whose folder must exist. With `replace` an object already there gives
    /// way; without, it is `AlreadyExists`. The folder is still to be synced.
    pub(super) fn place(&mut self, target: &Path, replace: bool) -> io::Result<()> {
        if replace {
            fs::rename(&self.path, target)?;
            self.placed = true;
        } else {
            // A link, unlike a rename, fails when the name is taken. The draft's own name goes when it is dropped.
            fs::hard_link(&self.path, target)?;
        }
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.placed {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The label of content with these digests.
pub(super) fn label(
    digests: &Digests,
    content_type: Option<String>,
    metadata: BTreeMap<String, String>,
) -> Label {
    Label { size: digests.size, sha256: hex::encode(digests.sha256), content_type, metadata }
}
