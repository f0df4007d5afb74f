//! For this room's tests: a folder that goes away, a media service and a database over it, and files to send.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Expected, Media, MediaHash, MediaName, Stored};
use crate::clock::{Clock, Ids};
use crate::config::MediaConfig;
use crate::db::{self, Db};
use crate::error::Result;

/// A folder of its own, removed when dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(what: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("nigran-{what}-{}", Uuid::new_v4().simple()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A media service with its database.
pub(crate) struct TestMedia {
    pub(crate) media: Media,
    pub(crate) db: Db,
    pub(crate) folder: Folder,
}

impl TestMedia {
    pub(crate) async fn start(what: &str) -> TestMedia {
        TestMedia::with(what, MediaConfig::default()).await
    }

    pub(crate) async fn with(what: &str, config: MediaConfig) -> TestMedia {
        let folder = Folder::new(what);
        let url = db::url_in(folder.path());
        db::migrate(&url).unwrap();
        let db = Db::open(&url, Clock::System, Ids::Random).unwrap();
        let media = Media::start(config, folder.path()).await.unwrap();
        TestMedia { media, db, folder }
    }

    /// Sends `bytes` in pieces under `name`, with nothing declared.
    pub(crate) async fn send(&self, name: &str, bytes: &Bytes) -> Result<Stored> {
        self.media.receive(&self.db, &named(name), pieces(bytes)).await
    }

    pub(crate) async fn read(&self, stored: &Stored) -> Vec<u8> {
        read(&self.media, &stored.sha256).await
    }

    /// How many objects the embedded store holds.
    pub(crate) fn objects(&self) -> usize {
        count(&self.folder.path().join("media/store/nigran-media/media"))
    }

    /// How many files lie about that should not: drafts and spooled files.
    pub(crate) fn leftovers(&self) -> usize {
        count(&self.folder.path().join("media/store/.temp")) + count(&self.folder.path().join("media/spool"))
    }
}

pub(crate) async fn read(media: &Media, sha256: &MediaHash) -> Vec<u8> {
    let opened = media.open(sha256, None).await.unwrap();
    opened.body.map_ok(|piece| piece.to_vec()).try_concat().await.unwrap()
}

fn count(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| if entry.path().is_dir() { count(&entry.path()) } else { 1 }).sum()
}

/// Runs a test that is marked as ignored in a process of its own, handing it `folder`.
pub(crate) fn child(test: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--ignored", "--nocapture"])
        .env(CHILD_FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// In such a process, the folder it was handed.
pub(crate) fn child_folder() -> Option<PathBuf> {
    std::env::var_os(CHILD_FOLDER).map(PathBuf::from)
}

const CHILD_FOLDER: &str = "NIGRAN_TEST_CHILD_FOLDER";

/// Expects a file of this name, with nothing else declared.
pub(crate) fn named(name: &str) -> Expected {
    Expected { name: MediaName::parse(name).unwrap(), size: None, sha256: None, content_type: None }
}

/// The bytes as an upload brings them.
pub(crate) fn pieces(bytes: &Bytes) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + use<> {
    let bytes = bytes.clone();
    let starts = (0..bytes.len()).step_by(16 * 1024);
    futures_util::stream::iter(starts)
        .map(move |from| Ok(bytes.slice(from..bytes.len().min(from + 16 * 1024))))
}

/// A "photo" of `size` bytes: the beginning of a JPEG, then noise that depends on `seed`.
pub(crate) fn jpeg(size: usize, seed: u64) -> Bytes {
    let mut bytes = b"\xff\xd8\xff\xe0\0\x10JFIF\0".to_vec();
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes.into()
}

pub(crate) fn sha256(bytes: &[u8]) -> MediaHash {
    MediaHash::of(Sha256::digest(bytes).into())
}
