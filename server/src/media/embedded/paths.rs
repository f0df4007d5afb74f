//! From a key to a path and back. A key is any text; a path built from it stays inside its bucket whatever it says.
//!
//! Each segment between `/` becomes one name: letters, digits, `-`, `_` and `.` stay, every other byte (and a leading
//! `.`) becomes `%XX`, an empty segment becomes `%`. Objects end in `=`, which no escaped segment contains, so the
//! object `a` and the folder of `a/b` do not meet; names that begin with `.` are ours (`.temp`, `.uploads`).

use std::io;
use std::path::{Path, PathBuf};

/// The end of an object's file name.
const OBJECT: char = '=';
/// The longest name file systems take.
const LONGEST_NAME: usize = 255;

/// Where the object `key` of the bucket in `bucket` lies.
pub(super) fn object_path(bucket: &Path, key: &str) -> io::Result<PathBuf> {
    let mut path = bucket.to_owned();
    let mut segments = key.split('/').peekable();
    while let Some(segment) = segments.next() {
        let mut name = escape(segment);
        if segments.peek().is_none() {
            name.push(OBJECT);
        }
        if name.len() > LONGEST_NAME {
            return Err(io::Error::new(
                io::ErrorKind::InvalidFilename,
                "a part of the key is too long for a file name",
            ));
        }
        path.push(name);
    }
    Ok(path)
}

/// What a name in a bucket's folders stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// The last segment of a key.
    Object(String),
    /// A segment with more to come.
    Folder(String),
}

/// Reads a name back. None: it is none of a key's.
pub(super) fn read_name(name: &str) -> Option<Named> {
    match name.strip_suffix(OBJECT) {
        Some(object) => unescape(object).map(Named::Object),
        None => unescape(name).map(Named::Folder),
    }
}

fn escape(segment: &str) -> String {
    if segment.is_empty() {
        return "%".to_owned();
    }
    let mut name = String::with_capacity(segment.len());
    for (at, byte) in segment.bytes().enumerate() {
        match byte {
            b'.' if at == 0 => name.push_str("%2E"),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => name.push(char::from(byte)),
            other => name.push_str(&format!("%{other:02X}")),
        }
    }
    name
}

fn unescape(name: &str) -> Option<String> {
    match name {
        "" => return None,
        "%" => return Some(String::new()),
        ours if ours.starts_with('.') => return None,
        _ => {}
    }
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let (digits, after) = rest.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(key: &str) -> String {
        let path = object_path(Path::new(""), key).unwrap();
        let names: Vec<_> = path.iter().map(|name| read_name(name.to_str().unwrap()).unwrap()).collect();
        let segments: Vec<_> = names
            .into_iter()
            .map(|named| match named {
                Named::Object(text) | Named::Folder(text) => text,
            })
            .collect();
        segments.join("/")
    }

    #[test]
    fn ordinary_keys_stay_readable() {
        let path = object_path(Path::new("/b"), "media/3f/3f9a").unwrap();
        assert_eq!(path, Path::new("/b/media/3f/3f9a="));
    }

    #[test]
    fn no_key_leaves_its_bucket() {
        let nasty = [
            "..",
            "../x",
            "a/../../x",
            "/etc/passwd",
            "//",
            "",
            ".",
            "a/./b",
            ".temp/x",
            ".uploads/1/upload.json",
            "a\0b",
            "a\\..\\b",
            "%",
            "%2E%2E/x",
            "a=",
            "a=/b",
            "تصویر/x y+z",
            "\u{202e}x",
        ];
        for key in nasty {
            let path = object_path(Path::new("/b"), key).unwrap();
            let below: Vec<_> = path.strip_prefix("/b").unwrap().components().collect();
            assert!(
                below.iter().all(|part| matches!(part, std::path::Component::Normal(_))),
                "{key:?} → {path:?}"
            );
            assert_eq!(below.len(), key.split('/').count(), "{key:?} → {path:?}");
            assert!(!path.to_str().unwrap().contains("/."), "{key:?} → {path:?}");
            assert_eq!(there_and_back(key), key);
        }
    }

    #[test]
    fn different_keys_lie_in_different_places() {
        let keys = ["a", "a/", "a/b", "a//b", "a=", "%61", "A", "a%2F", "", "%", "/"];
        let mut paths: Vec<_> = keys.iter().map(|key| object_path(Path::new(""), key).unwrap()).collect();
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), keys.len());
    }

    #[test]
    fn a_segment_too_long_for_a_file_name_is_refused() {
        assert!(object_path(Path::new(""), &"x".repeat(254)).is_ok());
        assert!(object_path(Path::new(""), &"x".repeat(255)).is_err());
        assert!(object_path(Path::new(""), &"ی".repeat(100)).is_err());
    }
}
