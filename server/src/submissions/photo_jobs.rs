//! The jobs about photos: understanding one that arrived, and comparing a submission's with what it says.

use super::Submissions;
use super::flags;
use super::model::SubmissionId;
use crate::db::By;
use crate::error::{Error, Result};
use crate::media::{self, Hurry, MediaHash};
use crate::queue::{self, Done, Task};

/// Of how many submissions that hold one photo the flags are raised again.
const HOLDERS: i64 = 200;

impl Submissions {
    /// Understands the photo the task is about, and has every submission that holds it compared with it.
    pub async fn understand_photo(&self, task: Task) -> Result<Done> {
        let sha256 = MediaHash::parse(&task.subject)?;
        let hash = task.subject.clone();
        let holders = self.db.read(move |conn| media::holders(conn, &hash, HOLDERS)).await?;
        if let Some(holder) = holders.first() {
            self.media.understand(&self.db, &sha256, &holder.content_type, Hurry::Job).await?;
        }
        self.db
            .write(By::system(), move |tx| {
                for holder in &holders {
                    flags::about_media(tx, &id_of(&holder.submission_id)?)?;
                }
                queue::finish(tx, &task)
            })
            .await
    }

    /// Raises what the photos of the submission the task is about say against it.
    pub async fn compare_photos(&self, task: Task) -> Result<Done> {
        let (id, thresholds) = (id_of(&task.subject)?, self.flags.clone());
        self.db
            .write(By::system(), move |tx| {
                flags::compare(tx, &thresholds, &id)?;
                queue::finish(tx, &task)
            })
            .await
    }
}

fn id_of(text: &str) -> Result<SubmissionId> {
    text.parse().map_err(|cause| Error::internal("reading a submission's id", cause))
}
