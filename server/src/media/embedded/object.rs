//! What is in an object's file: the content as it came, then a label (JSON), the label's length and a mark. Content
//! first, so that any viewer opens the file; both in one file, so that one rename makes both visible.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

const MARK: &[u8; 8] = b"nigran01";
/// The label's length and the mark.
const TAIL: usize = 4 + MARK.len();
/// Labels are small; most are read with the tail in one go.
const GLANCE: u64 = 1024;
const LONGEST_LABEL: usize = 64 * 1024;

/// What is known of an object besides its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Label {
    /// Size of the content in bytes.
    pub(super) size: u64,
    /// SHA-256 of the content in hex; also the ETag.
    pub(super) sha256: String,
    /// The content type it was sent with.
    pub(super) content_type: Option<String>,
    /// The sender's own `x-amz-meta-` values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) metadata: BTreeMap<String, String>,
}

impl Label {
    /// The bytes that follow the content.
    pub(super) fn tail(&self) -> io::Result<Vec<u8>> {
        let mut tail = serde_json::to_vec(self)?;
        if tail.len() > LONGEST_LABEL {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the object's metadata are too large"));
        }
        let length = tail.len() as u32;
        tail.extend_from_slice(&length.to_le_bytes());
        tail.extend_from_slice(MARK);
        Ok(tail)
    }
}

/// An object opened for reading; the file stands at the first byte of the content.
pub(super) struct Object {
    pub(super) file: File,
    pub(super) label: Label,
    pub(super) modified: SystemTime,
}

impl Object {
    /// Opens the object at `path`.
    pub(super) fn open(path: &Path) -> io::Result<Object> {
        let mut file = File::open(path)?;
        let about = file.metadata()?;
        let label = read_label(&mut file, about.len())?;
        file.seek(SeekFrom::Start(0))?;
        Ok(Object { file, label, modified: about.modified()? })
    }
}

fn read_label(file: &mut File, length: u64) -> io::Result<Label> {
    let glance = read_end(file, length, GLANCE)?;
    let json_length = label_length(&glance).ok_or_else(damaged)?;
    let whole = json_length + TAIL;
    let end = if whole > glance.len() { read_end(file, length, whole as u64)? } else { glance };
    let json =
        end.len().checked_sub(whole).and_then(|from| end.get(from..end.len() - TAIL)).ok_or_else(damaged)?;
    let label: Label = serde_json::from_slice(json)?;
    if label.size + whole as u64 == length { Ok(label) } else { Err(damaged()) }
}

fn read_end(file: &mut File, length: u64, wanted: u64) -> io::Result<Vec<u8>> {
    let wanted = wanted.min(length);
    file.seek(SeekFrom::Start(length - wanted))?;
    let mut end = Vec::with_capacity(wanted as usize);
    file.take(wanted).read_to_end(&mut end)?;
    Ok(end)
}

fn label_length(end: &[u8]) -> Option<usize> {
    let (rest, mark) = end.split_last_chunk::<8>()?;
    let (_, length) = rest.split_last_chunk::<4>()?;
    let length = u32::from_le_bytes(*length) as usize;
    (mark == MARK && length <= LONGEST_LABEL).then_some(length)
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the object's file is damaged")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::testing::Folder;

    fn label(size: u64) -> Label {
        Label {
            size,
            sha256: "ab".repeat(32),
            content_type: Some("image/png".into()),
            metadata: BTreeMap::new(),
        }
    }

    #[test]
    fn a_label_is_read_back_whatever_its_length() {
        let folder = Folder::new("object");
        let path = folder.path().join("o");
        let mut long = label(3);
        long.metadata.insert("note".into(), "x".repeat(5000));
        for written in [label(3), long] {
            let mut bytes = b"abc".to_vec();
            bytes.extend(written.tail().unwrap());
            std::fs::write(&path, bytes).unwrap();

            let mut object = Object::open(&path).unwrap();

            let mut content = [0; 3];
            object.file.read_exact(&mut content).unwrap();
            assert_eq!((object.label, &content), (written, b"abc"));
        }
    }

    #[test]
    fn a_file_cut_short_or_overwritten_is_damaged_not_served() {
        let folder = Folder::new("object-damaged");
        let path = folder.path().join("o");
        let mut bytes = b"abc".to_vec();
        bytes.extend(label(3).tail().unwrap());
        let mut longer = b"x".to_vec();
        longer.extend(&bytes);
        let cut = &bytes[..bytes.len() - 1];
        for damaged in [&b""[..], b"abc", cut, &longer, b"\xff\xff\xff\xffnigran01"] {
            std::fs::write(&path, damaged).unwrap();
            assert!(Object::open(&path).is_err());
        }
    }
}
