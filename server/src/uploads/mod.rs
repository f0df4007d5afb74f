//! Resumable uploads: tus 1.0 at `/v1/uploads`. A phone announces a file, sends it in as many stretches as the network
//! allows, and what has come stays: each stretch is in the bucket, and the offset in the database, before anybody is
//! told. Nothing lies on this process's own disk, so any process continues what another began.
//!
//! There are no locks. The offset is the version: who appends names the offset it appends to, and of two who name the
//! same one, one wins and the other is told where the file stands now. A connection that died unnoticed holds nothing.
//!
//! An upload is `open` until its last byte has come; that byte, the file in its place, and its being given to the
//! submission are one commit. Small pieces are put together as they pile up, so that a file sent in ten thousand of
//! them is still read in a few dozen.

mod checksum;
mod completion;
mod creation;
mod ending;
mod intake;
mod model;
mod protocol;
mod routes;
mod senders;
mod store;

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::config::MediaConfig;
use crate::db::{At, Db};
use crate::error::{Error, Result};
use crate::media::Media;
pub(crate) use routes::routes;
use senders::Senders;
pub use store::piece_keys;

/// How many uploads may be talking to the bucket at once.
const AT_THE_BUCKET: usize = 8;
/// The room's service; clones share it.
#[derive(Clone)]
pub struct Uploads {
    db: Db,
    media: Media,
    clock: Clock,
    expiry: chrono::Duration,
    /// How many uploads of one account may be open at once.
    open_limit: i64,
    bucket: Arc<Semaphore>,
    senders: Senders,
}

impl Uploads {
    /// The room over a database and a bucket.
    pub fn new(db: Db, media: Media, clock: Clock, config: &MediaConfig) -> Uploads {
        Uploads {
            db,
            media,
            clock,
            expiry: chrono::Duration::hours(config.upload_expiry_hours.into()),
            open_limit: config.open_uploads.into(),
            bucket: Arc::new(Semaphore::new(AT_THE_BUCKET)),
            senders: Senders::default(),
        }
    }

    /// When an upload that is touched now expires.
    fn expires_at(&self) -> At {
        At::from(self.clock.now() + self.expiry)
    }

    /// A turn at the bucket.
    async fn turn(&self) -> Result<tokio::sync::SemaphorePermit<'_>> {
        self.bucket.acquire().await.map_err(|cause| Error::internal("waiting for the bucket", cause))
    }
}
