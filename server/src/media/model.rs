//! Nouns of the media room.

use diesel::prelude::*;

use crate::db::schema::{media_objects, photos, submission_media};
use crate::db::{At, text_enum};
use crate::error::{Error, Result};

/// The SHA-256 of a file, in lower-case hex. It is also the file's name in the bucket.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MediaHash(String);

impl MediaHash {
    /// Reads 64 hex digits, of either case.
    pub fn parse(text: &str) -> Result<MediaHash> {
        if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Ok(MediaHash(text.to_ascii_lowercase()));
        }
        Err(Error::invalid(
            "media_hash_invalid",
            "a media hash is the file's SHA-256 as 64 hexadecimal digits",
        ))
    }

    pub(super) fn of(digest: [u8; 32]) -> MediaHash {
        MediaHash(hex::encode(digest))
    }

    /// The hash as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key of the object that holds the file.
    pub(super) fn key(&self) -> String {
        format!("media/{}/{}", &self.0[..2], self.0)
    }

    pub(super) fn digest(&self) -> Vec<u8> {
        hex::decode(&self.0).unwrap_or_default()
    }
}

impl std::fmt::Display for MediaHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A file that is in the bucket, durably.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its SHA-256.
    pub sha256: MediaHash,
    /// Its size in bytes.
    pub size: u64,
    /// What its bytes show it to be.
    pub content_type: &'static str,
}

/// What came of attaching a file to a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attached {
    /// It is there now.
    New,
    /// The same file was there under this name already.
    Already,
}

/// A file a submission holds.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct Held {
    /// Its name within the submission.
    pub name: String,
    /// Its SHA-256 in hex.
    pub sha256: String,
    /// Its size in bytes.
    pub size: i64,
    /// Its content type.
    pub content_type: String,
    /// Who sent it.
    pub account_id: String,
    /// When it arrived.
    pub arrived_at: At,
}

text_enum! {
    /// What came of looking into a photo.
    PhotoState {
        /// Copies were made of it.
        Understood = "understood",
        /// The file is damaged, or ends too early.
        Broken = "broken",
        /// It is not decoded here: too large, or of a kind that is only kept.
        Undecodable = "undecodable",
    }
}

/// What is known of a photo, as a row.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = photos, treat_none_as_default_value = false)]
pub struct Photo {
    /// The file's SHA-256 in hex.
    pub sha256: String,
    /// What came of looking into it.
    pub state: PhotoState,
    /// Why it is not understood: `truncated`, `damaged`, `too_many_pixels`, `kept_only`.
    pub why: Option<String>,
    /// Pixels across, as they lie in the file.
    pub width: Option<i32>,
    /// Pixels down.
    pub height: Option<i32>,
    /// EXIF's number of which way up it is; copies are upright.
    pub orientation: Option<i32>,
    /// When its camera says it was taken, RFC 3339; without an offset where the camera gave none.
    pub taken_at: Option<String>,
    /// Where its camera says it was taken.
    pub lat: Option<f64>,
    /// Where its camera says it was taken.
    pub lon: Option<f64>,
    /// By how much the camera says that may be wrong.
    pub position_error_m: Option<f64>,
    /// Who made the camera.
    pub make: Option<String>,
    /// Which camera it is.
    pub model: Option<String>,
    /// The copy's size in bytes.
    pub copy_size: Option<i64>,
    /// The thumbnail's.
    pub thumb_size: Option<i64>,
    /// When all this was found out.
    pub understood_at: At,
}

#[derive(Insertable)]
#[diesel(table_name = media_objects)]
pub(super) struct ObjectRow<'a> {
    pub(super) sha256: &'a str,
    pub(super) size: i64,
    pub(super) content_type: &'a str,
    pub(super) stored_at: At,
}

#[derive(Insertable)]
#[diesel(table_name = submission_media)]
pub(super) struct HeldRow<'a> {
    pub(super) submission_id: &'a str,
    pub(super) name: &'a str,
    pub(super) sha256: &'a str,
    pub(super) account_id: &'a str,
    pub(super) arrived_at: At,
}
