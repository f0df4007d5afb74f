//! The last byte has come: the pieces become a file, the file is given to the submission, and the upload is complete,
//! in one commit. Until that commit the upload stands where it stood, so whatever dies on the way, the sender finds it
//! there and sends the last stretch again.

use bytes::Bytes;
use serde_json::json;

use super::Uploads;
use super::creation::agrees;
use super::ending::REMEMBERED;
use super::model::{PieceRow, Upload, UploadState};
use super::store::{self, End};
use crate::audit::{self, Event};
use crate::db::{At, By, Tx};
use crate::error::{Error, Kind, Result};
use crate::media::{Assembled, MediaHash, Piece, Stored};
use crate::submissions;

/// How often pieces are looked up anew because somebody put some together meanwhile.
const LOOKS: u32 = 5;

impl Uploads {
    /// Makes the pieces the database names, those `staged`, and the bytes that came `last` the file.
    pub(super) async fn finish(&self, upload: &Upload, at: u64, staged: &[Piece], last: Bytes) -> Result<()> {
        let turn = self.turn().await?;
        let assembled = self.assemble(upload, staged, last).await;
        drop(turn);
        match assembled {
            Ok(Some((stored, is_scattered))) => self.complete(upload, at, stored, is_scattered).await,
            // Another sender completed it, or is where this one thinks it is.
            Ok(None) => self.settled_by_another(upload).await,
            Err(wrong) if is_final(&wrong) => Err(self.refuse(upload, at, wrong).await),
            Err(error) => Err(error),
        }
    }

    /// The file, and whether there are pieces to be removed. None: the pieces do not hold still.
    async fn assemble(
        &self,
        upload: &Upload,
        staged: &[Piece],
        last: Bytes,
    ) -> Result<Option<(Stored, bool)>> {
        let expected = upload.expected()?;
        let mut before = None;
        for _ in 0..LOOKS {
            let id = upload.id.clone();
            let named = self.db.read(move |conn| store::pieces(conn, &id)).await?;
            let mut pieces: Vec<Piece> = named.iter().map(PieceRow::piece).collect();
            pieces.extend_from_slice(staged);
            let size = pieces.iter().map(|piece| piece.size).sum::<u64>() + last.len() as u64;
            if size != upload.size() {
                return Ok(None);
            }
            match self.media.assemble(&pieces, last.clone(), &expected).await? {
                Assembled::Stored(stored) => return Ok(Some((stored, !pieces.is_empty()))),
                // Nobody has moved them: the bucket has lost them, or the database comes from a backup, which
                // holds files and no pieces.
                Assembled::Moved if before.as_ref() == Some(&pieces) => return Err(lost()),
                Assembled::Moved => before = Some(pieces),
            }
        }
        Ok(None)
    }

    async fn complete(&self, upload: &Upload, at: u64, stored: Stored, is_scattered: bool) -> Result<()> {
        let this = upload.clone();
        let by = By { account: Some(upload.account_id.clone()), device: None };
        let remembered_until = At::from(self.clock.now() + REMEMBERED);
        let completed = self
            .db
            .write(by, move |tx| {
                let end = End {
                    state: UploadState::Complete,
                    received: this.size,
                    because: None,
                    cleared: !is_scattered,
                    remembered_until,
                };
                give(tx, &this, at as i64, &stored, &end)
            })
            .await;
        match completed {
            Ok(true) => {
                metrics::counter!("nigran_uploads_total", "end" => "complete").increment(1);
                tracing::info!(upload.id = %upload.id, "completed upload {}", upload.id);
                if is_scattered {
                    self.clear(&upload.id).await;
                }
                Ok(())
            }
            Ok(false) => self.settled_by_another(upload).await,
            Err(wrong) if is_final(&wrong) => Err(self.refuse(upload, at, wrong).await),
            Err(error) => Err(error),
        }
    }

    /// That another completed it is as good; that another stands elsewhere is a conflict.
    async fn settled_by_another(&self, upload: &Upload) -> Result<()> {
        let (id, account) = (upload.id.clone(), upload.account_id.clone());
        let now = self.db.read(move |conn| store::upload(conn, &id, &account)).await?;
        match now {
            Some(now) if now.state == UploadState::Complete => Ok(()),
            _ => Err(self.overtaken(upload).await?),
        }
    }

    /// Ends an upload that can never become the file it was announced as, and hands `wrong` on.
    pub(super) async fn refuse(&self, upload: &Upload, at: u64, wrong: Error) -> Error {
        let (id, received, code) = (upload.id.clone(), at as i64, wrong.code);
        let remembered_until = At::from(self.clock.now() + REMEMBERED);
        let by = By { account: Some(upload.account_id.clone()), device: None };
        let refused = self
            .db
            .write(by, move |tx| {
                let end = End {
                    state: UploadState::Refused,
                    received,
                    because: Some(code),
                    cleared: false,
                    remembered_until,
                };
                let ended = store::end(tx.conn, &id, received, &end)?;
                if ended {
                    audit::record(tx, Event::new("upload.refused", "upload", &id, json!({ "code": code })))?;
                }
                Ok(ended)
            })
            .await;
        match refused {
            Ok(true) => {
                metrics::counter!("nigran_uploads_total", "end" => "refused").increment(1);
                self.clear(&upload.id).await;
            }
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(%error, "an upload that cannot be completed stays open until it expires")
            }
        }
        wrong
    }
}

/// Ends the upload and gives the file to the submission. False: somebody was quicker.
fn give(tx: &mut Tx, upload: &Upload, at: i64, stored: &Stored, end: &End<'_>) -> Result<bool> {
    if !store::end(tx.conn, &upload.id, at, end)? {
        return Ok(false);
    }
    let (id, name) = (&upload.submission_id, upload.name()?);
    // The answers may have come since the file was announced.
    if let Some(declared) = submissions::declared(tx.conn, id, &name, &upload.account_id)? {
        agrees(&declared, &MediaHash::parse(&upload.sha256)?, upload.size())?;
    }
    submissions::attach(tx, &upload.account_id, id, &name, stored)?;
    let details = json!({ "submission": id, "size": upload.size });
    audit::record(tx, Event::new("upload.completed", "upload", &upload.id, details))?;
    Ok(true)
}

fn lost() -> Error {
    Error::gone("upload_pieces_lost", "what had come of this upload is not there any more; begin a new one")
}

/// Whether sending the rest again cannot help.
fn is_final(error: &Error) -> bool {
    matches!(
        error.kind,
        Kind::Invalid | Kind::Unsupported | Kind::Conflict | Kind::NotFound | Kind::Gone | Kind::TooLarge
    )
}
