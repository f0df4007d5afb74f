//! Multipart uploads: a folder each under the bucket's `.uploads`, a file a part, put together when completed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::disk::Disk;
use super::draft::label;
use super::intake::failed;
use super::object::{Label, Object};
use super::paths;

const FOLDER: &str = ".uploads";
const ABOUT: &str = "upload.json";
const COPY: usize = 256 * 1024;

/// What an upload will become.
#[derive(Serialize, Deserialize)]
pub(super) struct Upload {
    pub(super) key: String,
    pub(super) content_type: Option<String>,
    pub(super) metadata: BTreeMap<String, String>,
}

/// Begins an upload and returns its id.
pub(super) fn begin(disk: &Disk, bucket: &Path, upload: &Upload) -> S3Result<String> {
    paths::object_path(bucket, &upload.key).map_err(failed)?;
    let id = Uuid::new_v4().simple().to_string();
    let folder = bucket.join(FOLDER).join(&id);
    let about = serde_json::to_vec(upload).map_err(|cause| failed(cause.into()))?;
    disk.make_folder(&folder).map_err(failed)?;
    write_synced(&folder.join(ABOUT), &about).map_err(failed)?;
    Ok(id)
}

/// Where part `number` of an upload belongs.
pub(super) fn part_path(bucket: &Path, id: &str, key: &str, number: i32) -> S3Result<PathBuf> {
    if !(1..=10_000).contains(&number) {
        return Err(s3_error!(InvalidArgument, "parts are numbered 1 to 10000"));
    }
    let (folder, _) = find(bucket, id, key)?;
    Ok(folder.join(format!("{number}.part")))
}

/// Puts the parts together as the object they were sent for. `parts` are numbers and ETags as the sender knows them.
pub(super) fn complete(
    disk: &Disk,
    bucket: &Path,
    id: &str,
    key: &str,
    parts: &[(i32, String)],
) -> S3Result<Label> {
    let (folder, upload) = find(bucket, id, key)?;
    if parts.is_empty() || parts.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
        return Err(s3_error!(InvalidPartOrder));
    }
    let mut draft = disk.draft(false).map_err(failed)?;
    let mut buffer = vec![0; COPY];
    for (number, etag) in parts {
        let part =
            Object::open(&folder.join(format!("{number}.part"))).map_err(|_| s3_error!(InvalidPart))?;
        if part.label.sha256 != *etag {
            return Err(s3_error!(InvalidPart));
        }
        let mut content = part.file.take(part.label.size);
        loop {
            match content.read(&mut buffer).map_err(failed)? {
                0 => break,
                read => draft.write(&buffer[..read]).map_err(failed)?,
            }
        }
    }
    let label = label(&draft.digests(), upload.content_type, upload.metadata);
    let target = paths::object_path(bucket, key).map_err(failed)?;
    disk.place(draft, &label, &target, true).map_err(failed)?;
    forget(&folder);
    Ok(label)
}

/// Gives an upload up.
pub(super) fn abort(bucket: &Path, id: &str, key: &str) -> S3Result<()> {
    let (folder, _) = find(bucket, id, key)?;
    forget(&folder);
    Ok(())
}

/// Forgets uploads of a bucket that nobody has touched for `age`.
pub(super) fn forget_old(bucket: &Path, age: Duration) {
    let entries = fs::read_dir(bucket.join(FOLDER)).into_iter().flatten().flatten();
    for entry in entries {
        let modified = entry.metadata().and_then(|about| about.modified()).ok();
        if modified.and_then(|at| at.elapsed().ok()).is_some_and(|elapsed| elapsed > age) {
            forget(&entry.path());
        }
    }
}

fn find(bucket: &Path, id: &str, key: &str) -> S3Result<(PathBuf, Upload)> {
    // Only an id as we make them can name a folder.
    let id = Uuid::try_parse(id).map_err(|_| s3_error!(NoSuchUpload))?.simple().to_string();
    let folder = bucket.join(FOLDER).join(id);
    let about = fs::read(folder.join(ABOUT)).map_err(|_| s3_error!(NoSuchUpload))?;
    match serde_json::from_slice::<Upload>(&about) {
        Ok(upload) if upload.key == key => Ok((folder, upload)),
        _ => Err(s3_error!(NoSuchUpload)),
    }
}

// What cannot be removed now is forgotten by age at a later start.
fn forget(folder: &Path) {
    let _ = fs::remove_file(folder.join(ABOUT));
    let _ = fs::remove_dir_all(folder);
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create_new(path)?;
    io::Write::write_all(&mut file, bytes)?;
    file.sync_all()?;
    path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
}
