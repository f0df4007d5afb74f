//! Photos and documents, by the hash of their content, and the pieces of uploads that are under way. Copies and thumbnails
//! are not moved: they are made again when somebody asks for them.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::runtime::Handle;

use super::ends::Ends;
use super::{Progress, Stage};
use crate::db::copying;
use crate::error::{Error, Result};
use crate::media::{self, Brought, File};
use crate::uploads;

/// How many files are under way at once; each is held in memory meanwhile.
const AT_ONCE: usize = 4;
/// How many are asked for, and after how many the marker is moved on.
const PAGE: i64 = 200;
/// What the marker calls this part: no table has such a name.
const FILES: &str = "files of the store";

/// What came of it.
#[derive(Default)]
pub(super) struct Photos {
    /// Files that are in the new store as they should be.
    pub(super) sound: u64,
    /// Those that were copied now.
    pub(super) copied: u64,
    pub(super) missing: Vec<String>,
    pub(super) damaged: Vec<String>,
}

impl Photos {
    fn note(&mut self, sha256: String, brought: Brought) {
        match brought {
            Brought::Missing => self.missing.push(sha256),
            Brought::Damaged => self.damaged.push(sha256),
            Brought::Already => self.sound += 1,
            Brought::Copied => {
                self.sound += 1;
                self.copied += 1;
            }
        }
    }
}

/// Brings every file the database knows.
pub(super) fn copy(ends: &mut Ends, progress: Progress) -> Result<Photos> {
    let mut photos = Photos::default();
    let all = count(ends)?;
    let mut place = ends.marker.places.get(FILES).cloned();
    let mut after = place.clone().unwrap_or_default();
    let mut seen = sound_before(ends, &after, &mut photos)?;
    loop {
        let page = media::files(&mut ends.source, &after, PAGE)?;
        let Some(end) = page.last().map(|file| file.sha256.clone()) else { break };
        seen += page.len() as u64;
        for (sha256, brought) in Handle::current().block_on(bring(ends, page))? {
            photos.note(sha256, brought);
        }
        // What is missing or damaged is looked for again by a run that goes on.
        if photos.missing.is_empty() && photos.damaged.is_empty() {
            copying::step(&mut ends.target, FILES, place.as_deref(), &end)?;
            place = Some(end.clone());
        }
        after = end;
        progress(Stage::Photos, seen, all);
    }
    bring_pieces(ends)?;
    Ok(photos)
}

fn count(ends: &mut Ends) -> Result<u64> {
    let table = ends.tables.iter().find(|table| table.name == "media_objects");
    table.map_or(Ok(0), |table| copying::count(&mut ends.source, table).map(i64::unsigned_abs))
}

/// Counts the files an earlier run has brought and seen.
fn sound_before(ends: &mut Ends, upto: &str, photos: &mut Photos) -> Result<u64> {
    let mut after = String::new();
    while after.as_str() < upto {
        let page = media::files(&mut ends.source, &after, PAGE)?;
        let Some(end) = page.last().map(|file| file.sha256.clone()) else { break };
        photos.sound += page.iter().filter(|file| file.sha256.as_str() <= upto).count() as u64;
        after = end;
    }
    Ok(photos.sound)
}

async fn bring(ends: &Ends, page: Vec<File>) -> Result<Vec<(String, Brought)>> {
    stream::iter(page)
        .map(|File { sha256, content_type, .. }| async move {
            let brought = match &ends.to_media {
                Some(there) => ends.from_media.bring(there, &sha256, &content_type).await?,
                None => ends.from_media.is_sound(&sha256).await?,
            };
            Ok::<_, Error>((sha256, brought))
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await
}

/// A piece that is missing costs its upload, which the phone then begins anew: no reason to stop.
fn bring_pieces(ends: &mut Ends) -> Result<()> {
    let Some(there) = ends.to_media.clone() else { return Ok(()) };
    let mut after = String::new();
    loop {
        let keys = uploads::piece_keys(&mut ends.source, &after, PAGE)?;
        let Some(end) = keys.last().cloned() else { return Ok(()) };
        let brought = stream::iter(keys).map(|key| {
            let there = &there;
            let here = &ends.from_media;
            async move { here.bring_piece(there, &key).await.map(drop) }
        });
        Handle::current().block_on(brought.buffer_unordered(AT_ONCE).try_collect::<()>())?;
        after = end;
    }
}
