//! Listing a bucket: a walk over its folders in the order of keys, which is the order of their bytes. Folders that
//! cannot hold what is asked for are not entered, so a page costs what it shows.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::paths::{Named, read_name};

/// What to list.
pub(super) struct Wanted<'a> {
    pub(super) prefix: &'a str,
    /// List keys after this one.
    pub(super) after: &'a str,
    pub(super) limit: usize,
}

/// A page of a listing.
pub(super) struct Listing {
    /// Keys and where their objects lie.
    pub(super) found: Vec<(String, PathBuf)>,
    /// Whether there is more.
    pub(super) more: bool,
}

/// Lists the bucket in `bucket`.
pub(super) fn list(bucket: &Path, wanted: &Wanted<'_>) -> io::Result<Listing> {
    let mut found = Vec::new();
    walk(bucket, "", wanted, &mut found)?;
    let more = found.len() > wanted.limit;
    found.truncate(wanted.limit);
    Ok(Listing { found, more })
}

/// Adds what lies below `folder`, whose keys all begin with `above`, until there is one more than wanted.
fn walk(
    folder: &Path,
    above: &str,
    wanted: &Wanted<'_>,
    found: &mut Vec<(String, PathBuf)>,
) -> io::Result<()> {
    for (key, path, is_folder) in entries(folder, above)? {
        if found.len() > wanted.limit {
            break;
        }
        if is_folder {
            let may_match = key.starts_with(wanted.prefix) || wanted.prefix.starts_with(&key);
            let is_past = *key < *wanted.after && !wanted.after.starts_with(&key);
            if may_match && !is_past {
                walk(&path, &key, wanted, found)?;
            }
        } else if key.starts_with(wanted.prefix) && *key > *wanted.after {
            found.push((key, path));
        }
    }
    Ok(())
}

/// The entries of a folder in the order of their keys; a folder's key ends in `/`.
fn entries(folder: &Path, above: &str) -> io::Result<Vec<(String, PathBuf, bool)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_name().to_str().and_then(read_name) {
            Some(Named::Object(segment)) => entries.push((format!("{above}{segment}"), entry.path(), false)),
            Some(Named::Folder(segment)) => entries.push((format!("{above}{segment}/"), entry.path(), true)),
            None => {}
        }
    }
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::super::paths::object_path;
    use super::*;
    use crate::media::testing::Folder;

    const KEYS: [&str; 10] =
        ["a", "a-b", "a/", "a/b", "a/b/c", "a0", "b/x", "b/y", "media/3f/1", "media/40/2"];

    fn bucket() -> Folder {
        let folder = Folder::new("listing");
        for key in KEYS {
            let path = object_path(folder.path(), key).unwrap();
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, key).unwrap();
        }
        fs::create_dir_all(folder.path().join(".uploads/1")).unwrap();
        folder
    }

    fn keys(folder: &Folder, prefix: &str, after: &str, limit: usize) -> (Vec<String>, bool) {
        let listing = list(folder.path(), &Wanted { prefix, after, limit }).unwrap();
        (listing.found.into_iter().map(|(key, _)| key).collect(), listing.more)
    }

    #[test]
    fn keys_come_in_the_order_of_their_bytes() {
        let mut sorted = KEYS.to_vec();
        sorted.sort_unstable();
        assert_eq!(keys(&bucket(), "", "", 100), (sorted.iter().map(|key| key.to_string()).collect(), false));
    }

    #[test]
    fn pages_join_without_gap_or_overlap() {
        let folder = bucket();
        let (whole, _) = keys(&folder, "", "", 100);
        for limit in 1..=11 {
            let mut joined: Vec<String> = Vec::new();
            loop {
                let after = joined.last().cloned().unwrap_or_default();
                let (page, more) = keys(&folder, "", &after, limit);
                joined.extend(page);
                if !more {
                    break;
                }
            }
            assert_eq!(joined, whole, "pages of {limit}");
        }
    }

    #[test]
    fn a_prefix_need_not_end_at_a_slash() {
        let folder = bucket();
        assert_eq!(keys(&folder, "media/4", "", 100).0, ["media/40/2"]);
        assert_eq!(keys(&folder, "a/", "", 100).0, ["a/", "a/b", "a/b/c"]);
        assert_eq!(keys(&folder, "a/", "a/b", 100).0, ["a/b/c"]);
        assert_eq!(keys(&folder, "zz", "", 100).0, [""; 0]);
    }
}
