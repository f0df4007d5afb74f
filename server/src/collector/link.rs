//! What a phone knows of its link: how fast it carries, how long ago it tore, and whether the server keeps the part of a
//! chunk that came before a tear. From this follows how a photo is sent: in one go, or resumable, and in what chunks.
//! Headers cost bytes and tears cost what was under way; the right chunk is where the two balance.

use std::time::Duration;

/// Below this a chunk costs more in headers than a tear would.
const SMALLEST_CHUNK: u64 = 16 * 1024;
/// Above this nothing is gained any more.
const LARGEST_CHUNK: u64 = 4 * 1024 * 1024;
/// How long a chunk may be under way, when what came of it before a tear would be lost.
const CHUNK_SECONDS: f64 = 15.0;
/// A photo up to this size goes in one request while the link holds.
const SMALL_PHOTO: u64 = 32 * 1024;
/// The same on a link that tore not long ago: what a second request's headers cost is more than is put at risk.
const SMALL_ON_TORN: u64 = 4 * 1024;
/// After this many requests that went well in a row the link is taken for whole again.
const MENDED_AFTER: u32 = 12;

/// What is known of the link.
#[derive(Clone, Debug, Default)]
pub(super) struct Link {
    bytes_per_second: Option<f64>,
    torn: bool,
    went_well: u32,
    /// Whether the server kept the part of a chunk that came before a tear. None: not seen yet.
    parts_kept: Option<bool>,
    chunk: Option<u64>,
}

impl Link {
    /// A request went well that carried so many bytes in such a time.
    pub(super) fn went_well(&mut self, bytes: u64, took: Duration) {
        self.went_well += 1;
        if self.went_well >= MENDED_AFTER {
            self.torn = false;
        }
        // A small request measures the way there and back, not what the link carries.
        if bytes >= 8 * 1024 && !took.is_zero() {
            let seen = bytes as f64 / took.as_secs_f64();
            self.bytes_per_second =
                Some(self.bytes_per_second.map_or(seen, |known| known * 0.7 + seen * 0.3));
            self.chunk = self.chunk.map(|chunk| (chunk * 2).min(LARGEST_CHUNK));
        }
    }

    /// A request came to nothing.
    pub(super) fn tore(&mut self) {
        self.torn = true;
        self.went_well = 0;
    }

    /// After a tear: of a chunk that was under way, so much had arrived.
    pub(super) fn found_after_tear(&mut self, arrived: u64, chunk: u64) {
        if arrived > 0 {
            self.parts_kept = Some(true);
        } else if self.parts_kept.is_none() && chunk > SMALLEST_CHUNK {
            self.parts_kept = Some(false);
        }
        if self.parts_kept == Some(false) {
            self.chunk = Some((chunk / 2).max(SMALLEST_CHUNK));
        }
    }

    /// Whether a photo of this size goes by a resumable upload.
    pub(super) fn wants_upload(&self, size: u64) -> bool {
        size > if self.torn { SMALL_ON_TORN } else { SMALL_PHOTO }
    }

    /// How much of what is left goes in one request.
    pub(super) fn chunk(&self, left: u64) -> u64 {
        if self.parts_kept != Some(false) {
            return left.min(LARGEST_CHUNK);
        }
        let carried = self.bytes_per_second.map_or(64.0 * 1024.0, |speed| speed * CHUNK_SECONDS) as u64;
        let chunk = self.chunk.unwrap_or(LARGEST_CHUNK).min(carried).clamp(SMALLEST_CHUNK, LARGEST_CHUNK);
        // No small rest that needs headers of its own.
        if left < chunk + chunk / 2 { left } else { chunk }
    }

    /// How long to wait for the answer to a request of so many bytes: as long as a slow link needs, and some patience.
    pub(super) fn deadline(&self, bytes: u64, patience: Duration) -> Duration {
        let slowest = self.bytes_per_second.map_or(1024.0, |speed| (speed / 3.0).clamp(256.0, 64.0 * 1024.0));
        patience + Duration::from_secs_f64(bytes as f64 / slowest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_photos_go_in_one_request_while_the_link_holds() {
        let mut link = Link::default();
        assert!(!link.wants_upload(20_000));
        assert!(link.wants_upload(200_000));

        link.tore();
        assert!(link.wants_upload(20_000));

        (0..MENDED_AFTER).for_each(|_| link.went_well(20_000, Duration::from_secs(1)));
        assert!(!link.wants_upload(20_000));
    }

    #[test]
    fn chunks_shrink_only_where_a_tear_costs_the_whole_chunk() {
        let mut kept = Link::default();
        kept.found_after_tear(700, 100_000);
        assert_eq!(kept.chunk(1_000_000), 1_000_000);

        let mut lost = Link::default();
        lost.went_well(20_000, Duration::from_secs(10));
        lost.found_after_tear(0, 100_000);
        assert_eq!(lost.chunk(1_000_000), 30_000);
        lost.found_after_tear(0, 30_000);
        assert_eq!(lost.chunk(1_000_000), SMALLEST_CHUNK);
        assert_eq!(lost.chunk(20_000), 20_000, "a small rest goes along");
    }

    #[test]
    fn a_slow_link_is_waited_for() {
        let patience = Duration::from_secs(5);
        let mut link = Link::default();
        link.went_well(20_000, Duration::from_secs(10));

        // 2000 bytes a second: 200 kB take 100 s, and may take three times as long.
        assert!(link.deadline(200_000, patience) > Duration::from_secs(300));
        assert!(link.deadline(0, patience) == patience);
    }
}
