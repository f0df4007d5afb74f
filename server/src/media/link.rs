//! Links a client reads a file at by itself, straight from the store, where the operator wants that. Whoever may see the
//! file has been asked before, and the log holds it; the link holds for a minute, and for this file only.

use super::model::{MediaHash, Photo};
use super::service::Media;
use super::understanding::Shown;
use crate::error::Result;

/// How long a link holds, in seconds.
const HOLDS: u32 = 60;

impl Media {
    /// A link to a file; none: it is read through us.
    pub async fn link(&self, sha256: &MediaHash, content_type: &str) -> Result<Option<String>> {
        self.link_to(sha256.key(), content_type).await
    }

    /// A link to a picture of a photo; none: it is read through us.
    pub async fn link_picture(&self, photo: &Photo, shown: Shown) -> Result<Option<String>> {
        self.link_to(shown.key(&MediaHash::parse(&photo.sha256)?), "image/jpeg").await
    }

    async fn link_to(&self, key: String, content_type: &str) -> Result<Option<String>> {
        if !self.config().presigned_reading || self.config().endpoint.is_none() {
            return Ok(None);
        }
        let content_type = content_type.to_owned();
        self.ask(|bucket| async move {
            // What is not there is said, or made again, by those who read it here.
            if bucket.head(&key).await?.is_none() {
                return Ok(None);
            }
            let query = [
                ("response-content-type", content_type.as_str()),
                ("response-content-disposition", "attachment"),
                ("response-cache-control", "private, no-store"),
            ];
            bucket.signer().get_for(&key, &query, HOLDS).await.map(Some)
        })
        .await
    }
}
