//! The offline queue: a folder, a file an item, photos beside it under their hashes. A file is written aside, flushed to
//! the disk and renamed, so that after a power cut it is the old one or the new one, whole. Nothing here knows of networks.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::model::{Item, Photo, Picture, Way};
use crate::error::{Error, Result};

/// Whether what is written must survive a power cut, or only the end of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It must, as on a phone.
    PowerCut,
    /// It need not: for playing a whole province on one disk.
    Process,
}

/// The items of one phone.
#[derive(Debug)]
pub struct Queue {
    folder: PathBuf,
    durability: Durability,
    items: BTreeMap<Uuid, Item>,
}

impl Queue {
    /// Opens the queue in `folder`, with everything that was in it.
    ///
    /// # Errors
    /// When the folder cannot be read or made, or an item in it cannot be understood: nothing is thrown away.
    pub fn open(folder: &Path, durability: Durability) -> Result<Queue> {
        fs::create_dir_all(folder.join("items")).map_err(|cause| failed(folder, cause))?;
        fs::create_dir_all(folder.join("photos")).map_err(|cause| failed(folder, cause))?;
        let mut queue = Queue { folder: folder.to_owned(), durability, items: BTreeMap::new() };
        for entry in fs::read_dir(folder.join("items")).map_err(|cause| failed(folder, cause))? {
            let path = entry.map_err(|cause| failed(folder, cause))?.path();
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("json") => {
                    let item: Item = read(&path)?;
                    queue.items.insert(item.id, item);
                }
                // Left by a power cut before its renaming: the item itself is as it was.
                Some("new") => fs::remove_file(&path).map_err(|cause| failed(&path, cause))?,
                _ => {}
            }
        }
        Ok(queue)
    }

    /// All items, by id.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.values()
    }

    /// One item.
    pub fn item(&self, id: Uuid) -> Option<&Item> {
        self.items.get(&id)
    }

    /// Writes an item down. Once this returns, it is there after whatever happens.
    pub fn put(&mut self, item: Item) -> Result<()> {
        if self.items.get(&item.id) == Some(&item) {
            return Ok(());
        }
        self.write(&format!("items/{}.json", item.id), &item)?;
        self.items.insert(item.id, item);
        Ok(())
    }

    /// Keeps a file under its hash.
    pub fn keep(&self, picture: &Picture) -> Result<Photo> {
        let sha256 = hex::encode(Sha256::digest(&picture.bytes));
        self.replace(&format!("photos/{sha256}"), &picture.bytes)?;
        Ok(Photo {
            name: picture.name.clone(),
            sha256,
            size: picture.bytes.len() as u64,
            content_type: picture.content_type.clone(),
            way: Way::Waiting { doubted: false },
        })
    }

    /// The bytes of a file.
    pub fn photo(&self, sha256: &str) -> Result<Bytes> {
        let path = self.folder.join("photos").join(sha256);
        fs::read(&path).map(Bytes::from).map_err(|cause| failed(&path, cause))
    }

    /// Lets go of the photos only items name that are complete: the server has answered for each of them.
    pub fn let_go_of_photos(&self) -> Result<usize> {
        let needed = |sha256: &str| {
            self.items.values().any(|item| {
                item.state != super::State::Complete && item.photos.iter().any(|photo| photo.sha256 == sha256)
            })
        };
        let photos = fs::read_dir(self.folder.join("photos")).map_err(|cause| failed(&self.folder, cause))?;
        let mut gone = 0;
        for path in photos.flatten().map(|entry| entry.path()) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if !needed(name) {
                fs::remove_file(&path).map_err(|cause| failed(&path, cause))?;
                gone += 1;
            }
        }
        Ok(gone)
    }

    /// Forgets everything: items, photos, tokens, keys.
    pub(super) fn wipe(&mut self) -> Result<()> {
        self.items.clear();
        fs::remove_dir_all(&self.folder).map_err(|cause| failed(&self.folder, cause))?;
        let again = Queue::open(&self.folder, self.durability)?;
        *self = again;
        Ok(())
    }

    /// Something else the phone remembers (tokens, keys, a cursor); none: it was never written.
    pub(super) fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let path = self.folder.join(name);
        match path.exists() {
            true => read(&path).map(Some),
            false => Ok(None),
        }
    }

    /// Writes such a thing down.
    pub(super) fn write(&self, name: &str, value: &impl Serialize) -> Result<()> {
        let bytes = serde_json::to_vec(value).map_err(|cause| Error::internal("writing the queue", cause))?;
        self.replace(name, &bytes)
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.folder.join(name);
        let aside = path.with_extension("new");
        let flush = |file: &File| match self.durability {
            Durability::PowerCut => file.sync_all(),
            Durability::Process => Ok(()),
        };
        let write = || -> io::Result<()> {
            let mut file = File::create(&aside)?;
            file.write_all(bytes)?;
            flush(&file)?;
            fs::rename(&aside, &path)?;
            // The new name is part of the folder, and must be on the disk as well.
            path.parent().map_or(Ok(()), |folder| flush(&File::open(folder)?))
        };
        write().map_err(|cause| failed(&path, cause))
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = fs::read(path).map_err(|cause| failed(path, cause))?;
    serde_json::from_slice(&bytes).map_err(|cause| {
        Error::invalid("queue_damaged", format!("{} is not what was written: {cause}", path.display()))
    })
}

fn failed(path: &Path, cause: io::Error) -> Error {
    Error::internal("keeping the queue", format!("{}: {cause}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collector::{Chance, State};

    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Folder {
            Folder(std::env::temp_dir().join(format!("nigran-queue-{}", Uuid::now_v7().simple())))
        }

        fn open(&self) -> Result<Queue> {
            Queue::open(&self.0, Durability::Process)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn picture() -> Picture {
        Picture { name: "front.jpg".into(), content_type: "image/jpeg".into(), bytes: vec![1, 2, 3] }
    }

    fn item(queue: &Queue) -> Item {
        let visit = serde_json::json!({
            "form": "f", "version": 1, "facility": null, "started_at": "2026-11-20T08:00:00+05:00",
            "finished_at": "2026-11-20T09:00:00+05:00", "location": null, "answers": { "a": { "b": 1.50 } },
        });
        let photo = queue.keep(&picture()).unwrap();
        Item::begun(Chance::seeded(1).uuid(), serde_json::from_value(visit).unwrap(), vec![photo])
    }

    #[test]
    fn what_was_written_is_there_when_the_phone_is_opened_again() {
        let folder = Folder::new();
        let mut queue = folder.open().unwrap();
        let item = item(&queue);
        queue.put(item.clone()).unwrap();
        // Cut off before its renaming.
        fs::write(folder.0.join("items/half.new"), "{\"id\":").unwrap();

        let again = folder.open().unwrap();

        assert_eq!(again.item(item.id), Some(&item));
        assert_eq!(again.photo(&item.photos[0].sha256).unwrap(), vec![1, 2, 3]);
        assert!(!folder.0.join("items/half.new").exists());
    }

    #[test]
    fn photos_are_kept_until_their_submission_is_complete() {
        let folder = Folder::new();
        let mut queue = folder.open().unwrap();
        let mut item = item(&queue);
        queue.put(item.clone()).unwrap();
        assert_eq!(queue.let_go_of_photos().unwrap(), 0);

        item.state = State::Complete;
        queue.put(item.clone()).unwrap();

        assert_eq!(queue.let_go_of_photos().unwrap(), 1);
        assert!(queue.photo(&item.photos[0].sha256).is_err());
    }

    #[test]
    fn a_damaged_item_is_named_and_nothing_is_thrown_away() {
        let folder = Folder::new();
        let queue = folder.open().unwrap();
        let path = folder.0.join(format!("items/{}.json", item(&queue).id));
        fs::write(&path, "{}").unwrap();

        let error = folder.open().unwrap_err();

        assert_eq!(error.code, "queue_damaged");
        assert!(error.detail.contains("items/") && path.exists());
    }
}
