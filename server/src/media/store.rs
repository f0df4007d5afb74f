//! Queries of the media room: which files there are, and which submission holds which under what name.
//! No update here: a name, once it holds a file, holds that file.

use std::collections::HashMap;

use diesel::prelude::*;

use super::model::{Attached, Held, HeldRow, MediaHash, ObjectRow, Photo, Stored};
use super::names::MediaName;
use super::understanding::UNDERSTAND;
use crate::audit;
use crate::db::schema::{media_objects, photos, submission_media};
use crate::db::{At, DbConn, Tx, each_backend, unnest};
use crate::error::{Error, Result};
use crate::queue::{self, Job};

/// Gives the file `stored` to a submission under `name`. The submission itself may come later. A photo is understood
/// soon afterwards, by a job.
///
/// The same file under the same name again changes nothing; another file under it is a `media_conflict`.
pub fn attach(tx: &mut Tx, submission_id: &str, name: &MediaName, stored: &Stored) -> Result<Attached> {
    let account = tx.by.account.clone().unwrap_or_else(|| "system".to_owned());
    let now = At::from(tx.now());
    insert_object(tx.conn, stored, now)?;
    let row = HeldRow {
        submission_id,
        name: name.as_str(),
        sha256: stored.sha256.as_str(),
        account_id: &account,
        arrived_at: now,
    };
    if !insert_held(tx.conn, &row)? {
        return same_file(tx.conn, submission_id, name, stored);
    }
    // The name stays out of the log: people put people's names into file names.
    let details = serde_json::json!({ "sha256": stored.sha256.as_str(), "size": stored.size, "type": stored.content_type });
    audit::record(tx, audit::Event::new("media.attached", "submission", submission_id, details))?;
    if stored.content_type.starts_with("image/") {
        let hash = stored.sha256.as_str();
        queue::enqueue(tx, Job::new(UNDERSTAND, hash).once(hash))?;
    }
    Ok(Attached::New)
}

fn same_file(conn: &mut DbConn, submission_id: &str, name: &MediaName, stored: &Stored) -> Result<Attached> {
    let held = find(conn, submission_id, name)?.map(|held| held.sha256).unwrap_or_default();
    if held == stored.sha256.as_str() {
        return Ok(Attached::Already);
    }
    let detail = format!(
        "{} of this submission is the file {held} already; {} is another file, send it under another name",
        name.as_str(),
        stored.sha256
    );
    Err(Error::conflict("media_conflict", detail)
        .with("stored_sha256", held)
        .with("sent_sha256", stored.sha256.as_str()))
}

/// The files a submission holds, by name.
pub fn arrived(conn: &mut DbConn, submission_id: &str) -> Result<Vec<Held>> {
    Ok(submission_media::table
        .inner_join(media_objects::table.on(media_objects::sha256.eq(submission_media::sha256)))
        .filter(submission_media::submission_id.eq(submission_id))
        .order(submission_media::name)
        .select(HELD)
        .load(conn)?)
}

/// The files these submissions hold, by submission.
pub fn arrived_of(conn: &mut DbConn, ids: &[&str]) -> Result<HashMap<String, Vec<Held>>> {
    let held: Vec<(String, Held)> = each_backend!(conn, |c| submission_media::table
        .inner_join(media_objects::table.on(media_objects::sha256.eq(submission_media::sha256)))
        .filter(submission_media::submission_id.eq_any(ids))
        .order((submission_media::submission_id, submission_media::name))
        .select((submission_media::submission_id, HELD))
        .load(c))?;
    let mut by_submission: HashMap<String, Vec<Held>> = HashMap::new();
    for (submission, held) in held {
        by_submission.entry(submission).or_default().push(held);
    }
    Ok(by_submission)
}

/// Keeps others from giving files to these submissions, or from filing them, until this unit of work is done: whichever of
/// answers and photo comes second must see the first. SQLite has one writer anyway.
pub fn hold_still(conn: &mut DbConn, ids: &[&str]) -> Result<()> {
    struct Row<'a> {
        id: &'a str,
    }
    if let DbConn::Postgres(conn) = conn {
        let rows: Vec<Row> = ids.iter().map(|id| Row { id }).collect();
        unnest!(&rows =>
            "SELECT pg_advisory_xact_lock(hashtextextended(w.id, 7311002)) FROM (SELECT * FROM"
            [id: Text]
            "AS u (id) ORDER BY u.id) AS w"
        )
        .execute(conn)?;
    }
    Ok(())
}

/// The file a submission holds under `name`.
pub fn find(conn: &mut DbConn, submission_id: &str, name: &MediaName) -> Result<Option<Held>> {
    Ok(submission_media::table
        .inner_join(media_objects::table.on(media_objects::sha256.eq(submission_media::sha256)))
        .filter(submission_media::submission_id.eq(submission_id))
        .filter(submission_media::name.eq(name.as_str()))
        .select(HELD)
        .first(conn)
        .optional()?)
}

/// What is known of the photo with this hash; none: nobody has looked into it yet.
pub fn photo(conn: &mut DbConn, sha256: &str) -> Result<Option<Photo>> {
    Ok(photos::table.find(sha256).select(Photo::as_select()).first(conn).optional()?)
}

/// The photos of a submission that somebody has looked into, each with the name it has there.
pub fn photos_of(conn: &mut DbConn, submission_id: &str) -> Result<Vec<(String, Photo)>> {
    Ok(submission_media::table
        .inner_join(photos::table.on(photos::sha256.eq(submission_media::sha256)))
        .filter(submission_media::submission_id.eq(submission_id))
        .order(submission_media::name)
        .select((submission_media::name, Photo::as_select()))
        .load(conn)?)
}

/// A submission that holds a certain file.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct Holder {
    /// The submission's id.
    pub submission_id: String,
    /// When it was given the file.
    pub arrived_at: At,
    /// What the file is.
    pub content_type: String,
}

/// The submissions that hold this file, whoever was first first; at most `limit`.
pub fn holders(conn: &mut DbConn, sha256: &str, limit: i64) -> Result<Vec<Holder>> {
    Ok(submission_media::table
        .inner_join(media_objects::table.on(media_objects::sha256.eq(submission_media::sha256)))
        .filter(submission_media::sha256.eq(sha256))
        .order((submission_media::arrived_at, submission_media::submission_id))
        .limit(limit)
        .select((submission_media::submission_id, submission_media::arrived_at, media_objects::content_type))
        .load(conn)?)
}

/// Writes down what is known of a photo; false: somebody had already.
pub(super) fn add_photo(conn: &mut DbConn, photo: &Photo) -> Result<bool> {
    let inserted = each_backend!(conn, |c| diesel::insert_into(photos::table)
        .values(photo)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(inserted == 1)
}

/// Notes the sizes of a photo's copy and thumbnail, which were made anew.
pub(super) fn set_picture_sizes(conn: &mut DbConn, sha256: &str, (copy, thumb): (i64, i64)) -> Result<()> {
    diesel::update(photos::table.find(sha256))
        .set((photos::copy_size.eq(Some(copy)), photos::thumb_size.eq(Some(thumb))))
        .execute(conn)?;
    Ok(())
}

/// Every file that was ever given to a submission, by hash, after this one: hash and size in bytes.
pub fn kept(conn: &mut DbConn, after: &str, limit: i64) -> Result<Vec<(String, i64)>> {
    Ok(media_objects::table
        .filter(media_objects::sha256.gt(after))
        .order(media_objects::sha256)
        .limit(limit)
        .select((media_objects::sha256, media_objects::size))
        .load(conn)?)
}

/// Whether any submission was ever given a file.
pub fn knows_files(conn: &mut DbConn) -> Result<bool> {
    let first = media_objects::table.select(media_objects::size).first::<i64>(conn).optional()?;
    Ok(first.is_some())
}

/// Whether some submission was given this file before. The bucket has the last word on whether it is still there.
pub(super) fn known(conn: &mut DbConn, sha256: &MediaHash) -> Result<bool> {
    let found = media_objects::table
        .filter(media_objects::sha256.eq(sha256.as_str()))
        .select(media_objects::size)
        .first::<i64>(conn)
        .optional()?;
    Ok(found.is_some())
}

/// Size and content type of a file some submission was given.
pub(super) fn object(conn: &mut DbConn, sha256: &MediaHash) -> Result<Option<(i64, String)>> {
    Ok(media_objects::table
        .filter(media_objects::sha256.eq(sha256.as_str()))
        .select((media_objects::size, media_objects::content_type))
        .first(conn)
        .optional()?)
}

/// Whether this account gave this file to some submission.
pub(super) fn sent_by(conn: &mut DbConn, sha256: &MediaHash, account: &str) -> Result<bool> {
    let found = submission_media::table
        .filter(submission_media::sha256.eq(sha256.as_str()))
        .filter(submission_media::account_id.eq(account))
        .select(submission_media::sha256)
        .first::<String>(conn)
        .optional()?;
    Ok(found.is_some())
}

type HeldColumns = (
    submission_media::name,
    submission_media::sha256,
    media_objects::size,
    media_objects::content_type,
    submission_media::account_id,
    submission_media::arrived_at,
);
const HELD: HeldColumns = (
    submission_media::name,
    submission_media::sha256,
    media_objects::size,
    media_objects::content_type,
    submission_media::account_id,
    submission_media::arrived_at,
);

fn insert_object(conn: &mut DbConn, stored: &Stored, now: At) -> Result<()> {
    let row = ObjectRow {
        sha256: stored.sha256.as_str(),
        size: i64::try_from(stored.size).unwrap_or(i64::MAX),
        content_type: stored.content_type,
        stored_at: now,
    };
    each_backend!(conn, |c| diesel::insert_into(media_objects::table)
        .values(&row)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(())
}

/// Whether the row was new.
fn insert_held(conn: &mut DbConn, row: &HeldRow<'_>) -> Result<bool> {
    let inserted = each_backend!(conn, |c| diesel::insert_into(submission_media::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(inserted == 1)
}

/// A file that was given to a submission.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct File {
    /// Its SHA-256 in hex.
    pub sha256: String,
    /// Its size in bytes.
    pub size: i64,
    /// What it is.
    pub content_type: String,
}

/// Every file that was ever given to a submission, by hash, after this one.
pub fn files(conn: &mut DbConn, after: &str, limit: i64) -> Result<Vec<File>> {
    Ok(media_objects::table
        .filter(media_objects::sha256.gt(after))
        .order(media_objects::sha256)
        .limit(limit)
        .select((media_objects::sha256, media_objects::size, media_objects::content_type))
        .load(conn)?)
}
