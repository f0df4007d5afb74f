//! Understanding a photo: what its camera wrote is read, and a copy and a thumbnail are made that carry none of it. The
//! copies lie in the bucket under keys made of the original's hash; the original itself is never touched, and what is
//! broken is kept like everything else.
//!
//! A job does this soon after a photo arrived. Whoever wants to see the copy sooner has it made there and then. Either
//! way few are decoded at once, each on a thread of its own, and a file that makes the decoder fail costs no more than
//! that file.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::OwnedSemaphorePermit;

use super::bucket::{Content, Put};
use super::camera::{self, Camera};
use super::kinds::MediaKind;
use super::model::{MediaHash, Photo, PhotoState};
use super::picture::{self, Pictures, Unreadable};
use super::range::ByteRange;
use super::service::{Media, Opened};
use super::store;
use crate::audit::{self, Event};
use crate::db::{At, By, Db};
use crate::error::{Error, Result};

/// The kind of the job that understands a photo; its subject is the photo's hash.
pub const UNDERSTAND: &str = "photo.understand";
/// How long a reader waits for a turn at the decoder.
const A_MOMENT: Duration = Duration::from_secs(5);
/// How long one photo may take. The thread that is past it is left to its end; nobody waits for it.
const DECODING: Duration = Duration::from_secs(60);
/// When to come back for a copy that is not made yet.
const COME_BACK: Duration = Duration::from_secs(5);

/// What is shown of a photo to those who do not get the original.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A picture of its full size, within bounds.
    Copy,
    /// A small picture for lists.
    Thumbnail,
}

impl Shown {
    pub(super) fn key(self, sha256: &MediaHash) -> String {
        let folder = match self {
            Shown::Copy => "copies",
            Shown::Thumbnail => "thumbs",
        };
        let hash = sha256.as_str();
        format!("{folder}/{}/{hash}.jpg", &hash[..2])
    }

    /// The size of this picture of the photo; none: there is no such picture.
    pub fn size_of(self, photo: &Photo) -> Option<u64> {
        let size = match self {
            Shown::Copy => photo.copy_size,
            Shown::Thumbnail => photo.thumb_size,
        };
        size.and_then(|size| u64::try_from(size).ok())
    }
}

/// How long to wait for a turn at the decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hurry {
    /// A reader waits: a moment only.
    Reader,
    /// A job has time.
    Job,
}

impl Media {
    /// What is known of a photo that is in the bucket; finds it out if nobody has yet.
    pub async fn understand(
        &self,
        db: &Db,
        sha256: &MediaHash,
        content_type: &str,
        hurry: Hurry,
    ) -> Result<Photo> {
        if let Some(known) = known(db, sha256).await? {
            return Ok(known);
        }
        let turn = self.turn_to_decode(hurry).await?;
        // Whoever had the turn before may have been at this very photo.
        if let Some(known) = known(db, sha256).await? {
            return Ok(known);
        }
        let (camera, pictures) = self.develop(sha256, content_type, turn).await?;
        let row = Photo::of(sha256, camera, &pictures, At::from(db.now()));
        if let Ok(pictures) = pictures {
            self.keep_pictures(sha256, pictures).await?;
        }
        db.write(By::system(), move |tx| {
            if store::add_photo(tx.conn, &row)? {
                let details = json!({ "state": row.state, "why": row.why });
                audit::record(tx, Event::new("media.understood", "media", &row.sha256, details))?;
            }
            Ok(row.clone())
        })
        .await
    }

    /// Opens a picture of a photo that is understood. One that has gone from the bucket is made again.
    pub async fn open_picture(
        &self,
        db: &Db,
        photo: &Photo,
        content_type: &str,
        shown: Shown,
        range: Option<ByteRange>,
    ) -> Result<Opened> {
        let sha256 = MediaHash::parse(&photo.sha256)?;
        let key = shown.key(&sha256);
        if let Some(opened) = self.open_key(&key, range).await? {
            return Ok(opened);
        }
        tracing::warn!(media.sha256 = %sha256, "a picture of {sha256} is gone from the bucket; making it again");
        self.make_again(db, photo, &sha256, content_type).await?;
        let opened = self.open_key(&key, range).await?;
        opened.ok_or_else(|| Error::internal("reading a picture", "it is gone from the bucket"))
    }

    /// Makes the pictures anew. Another version of this program may make them of another size; then whoever asked must
    /// ask again, for their range was cut for the old one.
    async fn make_again(&self, db: &Db, photo: &Photo, sha256: &MediaHash, content_type: &str) -> Result<()> {
        let turn = self.turn_to_decode(Hurry::Reader).await?;
        let (_, Ok(pictures)) = self.develop(sha256, content_type, turn).await? else { return Ok(()) };
        let sizes = (size_of(&pictures.copy), size_of(&pictures.thumb));
        self.keep_pictures(sha256, pictures).await?;
        if (photo.copy_size, photo.thumb_size) == (Some(sizes.0), Some(sizes.1)) {
            return Ok(());
        }
        let hash = sha256.clone();
        db.write(By::system(), move |tx| store::set_picture_sizes(tx.conn, hash.as_str(), sizes)).await?;
        Err(Error::unavailable("photo_not_ready", "the picture was made anew; ask for it again")
            .retry_after(Duration::from_secs(1)))
    }

    async fn turn_to_decode(&self, hurry: Hurry) -> Result<OwnedSemaphorePermit> {
        let turn = self.decoding().clone().acquire_owned();
        let turn = match hurry {
            Hurry::Job => turn.await,
            Hurry::Reader => tokio::time::timeout(A_MOMENT, turn).await.map_err(|_| {
                let why = "the picture is not made yet, others are before it; ask again in a few seconds";
                Error::unavailable("photo_not_ready", why).retry_after(COME_BACK)
            })?,
        };
        turn.map_err(|_| super::service::unavailable("the media service has stopped"))
    }

    /// Reads the original and makes the pictures. The turn stays with the thread, not with whoever waits for it: a
    /// slow file must not let others pile up.
    async fn develop(
        &self,
        sha256: &MediaHash,
        content_type: &str,
        turn: OwnedSemaphorePermit,
    ) -> Result<(Camera, Result<Pictures, Unreadable>)> {
        let file = self.whole(sha256).await?;
        let kind = MediaKind::of_content_type(content_type);
        let max_pixels = self.config().max_pixels;
        let working = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            read_and_develop(&file, kind, max_pixels)
        });
        match tokio::time::timeout(DECODING, working).await {
            Ok(Ok(done)) => Ok(done),
            // It panicked outside what is caught, or takes far too long: either way it cannot be read.
            Ok(Err(_)) | Err(_) => Ok((Camera::default(), Err(Unreadable::Damaged))),
        }
    }

    async fn whole(&self, sha256: &MediaHash) -> Result<Vec<u8>> {
        let opened = self.open(sha256, None).await?;
        let room = usize::try_from(opened.total).unwrap_or_default();
        let gather = |mut file: Vec<u8>, piece: Bytes| async move {
            file.extend_from_slice(&piece);
            Ok(file)
        };
        let read = opened.body.try_fold(Vec::with_capacity(room), gather).await;
        read.map_err(|cause| {
            tracing::error!(%cause, "a photo could not be read from the media store");
            super::service::unavailable("the media store broke off")
        })
    }

    async fn keep_pictures(&self, sha256: &MediaHash, pictures: Pictures) -> Result<()> {
        for (shown, file) in [(Shown::Copy, pictures.copy), (Shown::Thumbnail, pictures.thumb)] {
            let (key, size, digest) = (shown.key(sha256), file.len() as u64, Sha256::digest(&file).to_vec());
            let content = Content::Bytes(Bytes::from(file));
            self.ask(|bucket| async move {
                let put = Put { key: &key, size, sha256: Some(&digest), content_type: "image/jpeg" };
                bucket.put(&put, &content).await
            })
            .await?;
        }
        Ok(())
    }
}

async fn known(db: &Db, sha256: &MediaHash) -> Result<Option<Photo>> {
    let wanted = sha256.clone();
    db.read(move |conn| store::photo(conn, wanted.as_str())).await
}

/// What a thread does with a file. A decoder that panics has met a file it was not made for.
fn read_and_develop(
    file: &[u8],
    kind: Option<MediaKind>,
    max_pixels: u64,
) -> (Camera, Result<Pictures, Unreadable>) {
    let camera = catch_unwind(|| camera::read(file)).unwrap_or_default();
    let Some(kind) = kind else { return (camera, Err(Unreadable::KeptOnly)) };
    let started = std::time::Instant::now();
    let pictures =
        catch_unwind(AssertUnwindSafe(|| picture::develop(file, kind, camera.orientation, max_pixels)))
            .unwrap_or(Err(Unreadable::Damaged));
    metrics::histogram!("nigran_photo_seconds").record(started.elapsed().as_secs_f64());
    (camera, pictures)
}

/// A thumbnail of a JPEG, for whoever measures what one costs. None: it cannot be read.
pub fn thumbnail(file: &[u8]) -> Option<Vec<u8>> {
    let max_pixels = crate::config::MediaConfig::default().max_pixels;
    picture::thumbnail(file, MediaKind::Jpeg, camera::read(file).orientation, max_pixels).ok()
}

fn size_of(file: &[u8]) -> i64 {
    i64::try_from(file.len()).unwrap_or(i64::MAX)
}

/// How many photos are decoded at once.
pub(super) fn decoders(at_once: usize) -> Arc<tokio::sync::Semaphore> {
    Arc::new(tokio::sync::Semaphore::new(at_once.max(1)))
}

impl Photo {
    fn of(sha256: &MediaHash, camera: Camera, pictures: &Result<Pictures, Unreadable>, at: At) -> Photo {
        let made = pictures.as_ref().ok();
        let (state, why) = match pictures {
            Ok(_) => (PhotoState::Understood, None),
            Err(why @ (Unreadable::Truncated | Unreadable::Damaged)) => (PhotoState::Broken, Some(*why)),
            Err(why) => (PhotoState::Undecodable, Some(*why)),
        };
        Photo {
            sha256: sha256.as_str().to_owned(),
            state,
            why: why.map(|why| why.as_str().to_owned()),
            width: made.map(|made| made.width as i32),
            height: made.map(|made| made.height as i32),
            orientation: Some(camera.orientation.into()),
            taken_at: camera.taken_at,
            lat: camera.position.map(|(lat, _)| lat),
            lon: camera.position.map(|(_, lon)| lon),
            position_error_m: camera.position_error_m,
            make: camera.make,
            model: camera.model,
            copy_size: made.map(|made| size_of(&made.copy)),
            thumb_size: made.map(|made| size_of(&made.thumb)),
            understood_at: at,
        }
    }
}
