//! Where a file waits while it comes in and is checked: on the disk, not in memory. Nothing here is durable or needs to
//! be; the file is removed when it is dropped, and what a crash leaves is removed at the next start.

use std::io;
use std::path::{Path, PathBuf};

use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

/// Empties the spool folder, making it if need be.
pub(super) fn clear(folder: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
        _ => std::fs::create_dir_all(folder),
    }
}

/// A file in the spool.
pub(super) struct Spooled {
    file: File,
    path: PathBuf,
}

impl Spooled {
    /// Begins a file in `folder`.
    pub(super) async fn begin(folder: &Path) -> io::Result<Spooled> {
        let path = folder.join(Uuid::new_v4().simple().to_string());
        let file = File::options().write(true).create_new(true).open(&path).await?;
        Ok(Spooled { file, path })
    }

    /// Adds `bytes`.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes).await
    }

    /// Ends the file, so that it can be read at its path.
    pub(super) async fn finish(&mut self) -> io::Result<()> {
        self.file.flush().await
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Spooled {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
