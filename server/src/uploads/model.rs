//! Nouns of the uploads room.

use diesel::prelude::*;

use crate::db::schema::{upload_pieces, uploads};
use crate::db::{At, text_enum, text_id};
use crate::error::{Error, Result};
use crate::media::{Expected, MediaHash, MediaName, Piece};
use crate::submissions::SubmissionId;

text_id! {
    /// An upload's id: made by the server.
    UploadId
}

text_enum! {
    /// Where an upload stands. All but `open` are final.
    UploadState {
        /// It waits for bytes.
        Open = "open",
        /// Its file is with the submission.
        Complete = "complete",
        /// What came was not what was announced.
        Refused = "refused",
        /// Its sender gave it up.
        Terminated = "terminated",
        /// Nobody continued it in time.
        Expired = "expired",
    }
}

/// An upload as a row.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = uploads)]
pub(super) struct Upload {
    pub(super) id: UploadId,
    pub(super) account_id: String,
    pub(super) submission_id: SubmissionId,
    pub(super) name: String,
    pub(super) sha256: String,
    pub(super) content_type: Option<String>,
    pub(super) size: i64,
    /// How many bytes have come, durably.
    pub(super) received: i64,
    pub(super) state: UploadState,
    /// The code of what was wrong with a refused one.
    pub(super) because: Option<String>,
    /// Whether its pieces are gone from the bucket.
    pub(super) cleared: bool,
    /// `Upload-Metadata` as it came, to be given back.
    pub(super) metadata: String,
    pub(super) created_at: At,
    /// While open, when it expires; afterwards, until when it is remembered.
    pub(super) expires_at: At,
}

impl Upload {
    pub(super) fn size(&self) -> u64 {
        self.size.unsigned_abs()
    }

    pub(super) fn received(&self) -> u64 {
        self.received.unsigned_abs()
    }

    pub(super) fn name(&self) -> Result<MediaName> {
        MediaName::parse(&self.name)
    }

    /// What the file must be.
    pub(super) fn expected(&self) -> Result<Expected> {
        Ok(Expected {
            name: self.name()?,
            size: Some(self.size()),
            sha256: Some(MediaHash::parse(&self.sha256)?),
            content_type: self.content_type.clone(),
        })
    }

    /// Passes an upload that is open or complete; says of another how it ended.
    pub(super) fn standing(self, now: At) -> Result<Upload> {
        let (code, detail) = match self.state {
            UploadState::Complete => return Ok(self),
            UploadState::Open if self.expires_at > now => return Ok(self),
            UploadState::Open | UploadState::Expired => {
                ("upload_expired", "nobody continued this upload in time; begin a new one")
            }
            UploadState::Terminated => ("upload_terminated", "this upload was given up; begin a new one"),
            UploadState::Refused => {
                ("upload_refused", "what came was not what was announced; begin a new upload")
            }
        };
        let gone = Error::gone(code, detail);
        Err(match self.because {
            Some(because) => gone.with("because", because),
            None => gone,
        })
    }
}

/// A piece as a row. Pieces follow each other without gaps; `level` counts how often it was put together from
/// smaller ones.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = upload_pieces)]
pub(super) struct PieceRow {
    pub(super) upload_id: UploadId,
    pub(super) first: i64,
    pub(super) size: i64,
    pub(super) level: i32,
    pub(super) key: String,
}

impl PieceRow {
    pub(super) fn piece(&self) -> Piece {
        Piece { key: self.key.clone(), size: self.size.unsigned_abs() }
    }

    /// The row of the piece that takes the place of these neighbours.
    pub(super) fn instead_of(run: &[PieceRow], merged: &Piece) -> Option<PieceRow> {
        let (start, highest) = (run.first()?, run.iter().map(|piece| piece.level).max()?);
        let (size, key) = (merged.size as i64, merged.key.clone());
        Some(PieceRow { level: highest + 1, size, key, ..start.clone() })
    }
}
