//! A file on its way out of the bucket, held against the hash it is known by. The last bytes are passed on only if the
//! whole is what was put, so a reader never takes a damaged file for a whole one.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};

use super::model::MediaHash;

/// Passes `plain` on, whose content is known by `expected`; a damaged one breaks off before its end, and is logged.
pub(super) fn verified(
    plain: BoxStream<'static, io::Result<Bytes>>,
    expected: MediaHash,
) -> BoxStream<'static, io::Result<Bytes>> {
    let known = expected.clone();
    held_against(plain, expected, move |actual| {
        metrics::counter!("nigran_media_damaged_total").increment(1);
        tracing::error!(
            media.sha256 = %known,
            %actual,
            "the media store gave another content than was put; restore this file from a backup of the bucket"
        );
        io::Error::new(io::ErrorKind::InvalidData, "the file is damaged in the media store")
    })
}

/// Passes `plain` on, always one piece behind, and ends in what `otherwise` says if its hash is another than `expected`.
pub(super) fn held_against(
    plain: BoxStream<'static, io::Result<Bytes>>,
    expected: MediaHash,
    otherwise: impl Fn(MediaHash) -> io::Error + Send + Sync + 'static,
) -> BoxStream<'static, io::Result<Bytes>> {
    let state = Some((plain, Sha256::new(), Bytes::new()));
    let judge = Arc::new((expected, otherwise));
    let passed = stream::try_unfold(state, move |state| {
        let judge = judge.clone();
        async move {
            let Some((mut plain, mut hasher, held)) = state else { return Ok(None) };
            if let Some(bytes) = plain.try_next().await? {
                hasher.update(&bytes);
                return Ok(Some((held, Some((plain, hasher, bytes)))));
            }
            let actual = MediaHash::of(hasher.finalize().into());
            match actual == judge.0 {
                true => Ok(Some((held, None))),
                false => Err((judge.1)(actual)),
            }
        }
    });
    // The first piece passed on is the empty one that stood before anything came.
    passed.try_filter(|bytes| std::future::ready(!bytes.is_empty())).boxed()
}
