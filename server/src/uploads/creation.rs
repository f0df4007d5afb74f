//! Announcing a file. What is wrong with it is said before its first byte is sent: its size, its kind, its place.

use serde_json::json;

use super::Uploads;
use super::ending::REMEMBERED;
use super::model::{Upload, UploadState};
use super::store;
use crate::accounts::{Actor, Permission};
use crate::audit::{self, Event};
use crate::db::{At, DbConn, Tx};
use crate::error::{Error, Result};
use crate::media::{self, Expected, MediaHash, MediaName, Stored};
use crate::submissions::{self, DeclaredMedia, SubmissionId};

/// A file that is announced.
pub(super) struct Wanted {
    pub(super) submission: SubmissionId,
    pub(super) name: MediaName,
    pub(super) sha256: MediaHash,
    pub(super) content_type: Option<String>,
    pub(super) size: u64,
    /// Whether the sender can begin in the middle: then an upload of the same file that has bytes already is given
    /// back. Other clients take a new upload to be empty.
    pub(super) resume: bool,
    pub(super) metadata: String,
}

/// What was found in the announced file's place.
enum Place {
    /// Nothing; `entitled`: the sender may be told that the file is here already.
    Free { entitled: bool },
    /// This very file.
    Taken,
}

impl Uploads {
    /// Makes an upload, or gives back an open one of the same file that has no bytes yet: an answer that was lost does
    /// not leave a pile of empty ones.
    pub(super) async fn create(&self, actor: &Actor, wanted: Wanted) -> Result<Upload> {
        may_file(actor)?;
        let expected = wanted.expected();
        if wanted.size == 0 {
            return Err(Error::invalid("media_truncated", "the file is empty; announce one that is not"));
        }
        media::check_claims(&self.media, &expected)?;
        let account = actor.account.to_string();
        let (place, wanted) = self.db.read(move |conn| Ok((look(conn, &wanted, &account)?, wanted))).await?;
        let here = match place {
            Place::Free { entitled: false } => None,
            Place::Free { entitled: true } | Place::Taken => {
                let Wanted { sha256, size, name, .. } = &wanted;
                self.media.stored(&self.db, sha256, *size, name.kind()).await?
            }
        };
        let (now, expires_at, limit) = (At::from(self.clock.now()), self.expires_at(), self.open_limit);
        let mut upload = wanted.upload(actor, now, expires_at);
        let resume = wanted.resume;
        if here.is_some() {
            upload.state = UploadState::Complete;
            upload.received = upload.size;
            upload.cleared = true;
            upload.expires_at = At::from(self.clock.now() + REMEMBERED);
            metrics::counter!("nigran_media_deduplicated").increment(1);
        }
        self.db.write(actor.by(), move |tx| settle(tx, &upload, here.as_ref(), limit, resume)).await
    }
}

fn may_file(actor: &Actor) -> Result<()> {
    actor.may_any(&[Permission::FileInspections, Permission::FileAudits, Permission::FileToolkit])
}

/// Whether the file may come here, and whether its sender may be told that it is known.
///
/// To be told so is to be given the file, so it takes a reason to believe that the sender has it: either this account
/// sent it before, or its own submission, filed and logged, declares it. A hash alone finds out nothing.
fn look(conn: &mut DbConn, wanted: &Wanted, account: &str) -> Result<Place> {
    submissions::no_strangers(conn, &wanted.submission, account)?;
    let declared = submissions::declared(conn, &wanted.submission, &wanted.name, account)?;
    if let Some(declared) = &declared {
        agrees(declared, &wanted.sha256, wanted.size)?;
    }
    match media::find(conn, wanted.submission.as_str(), &wanted.name)? {
        Some(held) if held.sha256 == wanted.sha256.as_str() => return Ok(Place::Taken),
        Some(held) => {
            let detail = format!(
                "{} of this submission is another file already; send this one under another name",
                wanted.name.as_str()
            );
            return Err(Error::conflict("media_conflict", detail).with("stored_sha256", held.sha256));
        }
        None => {}
    }
    let entitled = declared.is_some() || media::sent_by(conn, &wanted.sha256, account)?;
    Ok(Place::Free { entitled })
}

/// Passes a file that is what the envelope declares.
pub(super) fn agrees(declared: &DeclaredMedia, sha256: &MediaHash, size: u64) -> Result<()> {
    if declared.size != size {
        let detail =
            format!("{} is declared with {} bytes, announced are {size}", declared.name, declared.size);
        return Err(Error::invalid("media_size_mismatch", detail));
    }
    if !declared.sha256.eq_ignore_ascii_case(sha256.as_str()) {
        let detail = format!(
            "{} is declared with SHA-256 {}, announced is {sha256}; send the file that was declared",
            declared.name, declared.sha256
        );
        return Err(Error::invalid("media_hash_mismatch", detail)
            .with("declared_sha256", declared.sha256.clone())
            .with("actual_sha256", sha256.as_str()));
    }
    Ok(())
}

fn settle(tx: &mut Tx, upload: &Upload, here: Option<&Stored>, limit: i64, resume: bool) -> Result<Upload> {
    let now = At::from(tx.now());
    let upload = Upload { id: tx.new_id().into(), ..upload.clone() };
    match here {
        Some(stored) => {
            submissions::attach(tx, &upload.account_id, &upload.submission_id, &upload.name()?, stored)?;
        }
        None => {
            if let Some(same) = store::same(tx.conn, &upload, now, resume)? {
                return Ok(same);
            }
            if store::open_of(tx.conn, &upload.account_id, now)? >= limit {
                return Err(too_many(limit));
            }
        }
    }
    store::insert(tx.conn, &upload)?;
    // The name stays out of the log: people put people's names into file names.
    let details = json!({ "submission": upload.submission_id, "size": upload.size, "state": upload.state });
    audit::record(tx, Event::new("upload.created", "upload", &upload.id, details))?;
    Ok(upload)
}

fn too_many(limit: i64) -> Error {
    let detail =
        format!("{limit} of your uploads are open; finish some, or end them with DELETE, before the next");
    Error::too_many("too_many_uploads", detail).retry_after(std::time::Duration::from_secs(60))
}

impl Wanted {
    fn expected(&self) -> Expected {
        Expected {
            name: self.name.clone(),
            size: Some(self.size),
            sha256: Some(self.sha256.clone()),
            content_type: self.content_type.clone(),
        }
    }

    /// An open upload of it; its id is given when it is stored.
    fn upload(&self, actor: &Actor, now: At, expires_at: At) -> Upload {
        Upload {
            id: uuid::Uuid::nil().into(),
            account_id: actor.account.to_string(),
            submission_id: self.submission.clone(),
            name: self.name.as_str().to_owned(),
            sha256: self.sha256.as_str().to_owned(),
            content_type: self.content_type.clone(),
            size: i64::try_from(self.size).unwrap_or(i64::MAX),
            received: 0,
            state: UploadState::Open,
            because: None,
            cleared: false,
            metadata: self.metadata.clone(),
            created_at: now,
            expires_at,
        }
    }
}
