//! Uploads that end: given up by their sender, left alone for too long, complete. Their pieces leave the bucket, and
//! for a day the server still knows how they ended, so that a sender who lost the answer can ask.

use chrono::Duration;
use serde_json::json;

use super::Uploads;
use super::model::{Upload, UploadId, UploadState};
use super::store::{self, End};
use crate::accounts::Actor;
use crate::audit::{self, Event};
use crate::db::{At, By};
use crate::error::Result;

/// How long an ended upload is remembered.
pub(super) const REMEMBERED: Duration = Duration::hours(24);
/// How many uploads are swept before others get a turn.
const BATCH: i64 = 200;
/// How often an upload is ended anew because bytes still came.
const TRIES: u32 = 5;

impl Uploads {
    /// Gives an upload up. A complete one is only forgotten: its file belongs to the submission.
    pub(super) async fn terminate(&self, actor: &Actor, id: &str) -> Result<()> {
        for _ in 0..TRIES {
            let upload = self.find(actor, id).await?;
            if upload.state == UploadState::Complete {
                let id = upload.id.clone();
                return self.db.write(actor.by(), move |tx| store::forget(tx.conn, &id)).await;
            }
            if self.end(actor.by(), &upload, UploadState::Terminated).await? {
                self.clear(&upload.id).await;
                break;
            }
        }
        Ok(())
    }

    /// Ends an open upload. False: bytes came, or it ended, meanwhile.
    async fn end(&self, by: By, upload: &Upload, state: UploadState) -> Result<bool> {
        let (id, at) = (upload.id.clone(), upload.received);
        let remembered_until = At::from(self.clock.now() + REMEMBERED);
        let (deed, word) = match state {
            UploadState::Expired => ("upload.expired", "expired"),
            _ => ("upload.terminated", "terminated"),
        };
        let ended = self
            .db
            .write(by, move |tx| {
                let end = End { state, received: at, because: None, cleared: false, remembered_until };
                let ended = store::end(tx.conn, &id, at, &end)?;
                if ended {
                    audit::record(tx, Event::new(deed, "upload", &id, json!({ "received": at })))?;
                }
                Ok(ended)
            })
            .await?;
        if ended {
            metrics::counter!("nigran_uploads_total", "end" => word).increment(1);
        }
        Ok(ended)
    }

    /// Removes the pieces of an ended upload; what fails is tried again by the sweep.
    pub(super) async fn clear(&self, id: &UploadId) {
        if let Err(error) = self.try_clear(id).await {
            tracing::warn!(upload.id = %id, %error, "the pieces of an ended upload are still there");
        }
    }

    async fn try_clear(&self, id: &UploadId) -> Result<()> {
        {
            // Pieces go several at a time, over a connection each: a hundred files that are whole at once had eight hundred.
            let _turn = self.turn().await?;
            self.media.discard_upload(id.as_str()).await?;
        }
        let id = id.clone();
        self.db.write(By::system(), move |tx| store::set_cleared(tx.conn, &id)).await
    }

    /// Ends what nobody continued, removes the pieces of what has ended, and forgets what ended long ago. Returns how
    /// many uploads it touched; several processes may sweep at once.
    pub async fn sweep(&self) -> Result<usize> {
        let mut touched = 0;
        loop {
            let swept = self.expire().await? + self.clear_ended().await? + self.forget_old().await?;
            touched += swept;
            if swept == 0 {
                break;
            }
        }
        let open = self.db.read(store::open).await?;
        metrics::gauge!("nigran_uploads_open").set(open as f64);
        Ok(touched)
    }

    async fn expire(&self) -> Result<usize> {
        let now = At::from(self.clock.now());
        let overdue = self.db.read(move |conn| store::overdue(conn, now, BATCH)).await?;
        let mut expired = 0;
        for upload in overdue {
            expired += usize::from(self.end(By::system(), &upload, UploadState::Expired).await?);
        }
        Ok(expired)
    }

    async fn clear_ended(&self) -> Result<usize> {
        let ended = self.db.read(move |conn| store::uncleared(conn, BATCH)).await?;
        for id in &ended {
            self.try_clear(id).await?;
        }
        Ok(ended.len())
    }

    async fn forget_old(&self) -> Result<usize> {
        let now = At::from(self.clock.now());
        let old = self.db.read(move |conn| store::forgettable(conn, now, BATCH)).await?;
        for id in &old {
            // Once more: a process that was paused may have kept a piece after the upload had ended.
            self.media.discard_upload(id.as_str()).await?;
            let id = id.clone();
            self.db.write(By::system(), move |tx| store::remove(tx.conn, &id)).await?;
        }
        Ok(old.len())
    }
}
