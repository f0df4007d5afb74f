//! Tagging again: when boundaries are imported, every submission with a fix gets a further tag by them. The tags it
//! had stay; where it belongs from now on is what the newest says.

use form_engine::Point;
use serde_json::json;

use super::Submissions;
use super::ingest::Area;
use super::model::{Head, TagRow};
use super::store;
use crate::audit::{self, Event};
use crate::db::{At, By, Json};
use crate::error::Result;
use crate::places::{Fix, PlaceTag};

/// Submissions tagged in one unit of work.
const BATCH: i64 = 200;

impl Submissions {
    /// Tags every submission that the boundaries now loaded have not tagged yet; returns how many that were.
    pub async fn retag(&self) -> Result<usize> {
        let Some(edition) = self.places.edition() else { return Ok(0) };
        let mut total = 0;
        let mut after = String::new();
        loop {
            let (wanted, from) = (edition.clone(), after.clone());
            let heads = self.db.read(move |conn| store::not_of_edition(conn, &wanted, &from, BATCH)).await?;
            let Some(last) = heads.last() else { return Ok(total) };
            after = last.id.to_string();
            total += heads.len();
            self.retag_batch(heads, edition.clone()).await?;
        }
    }

    async fn retag_batch(&self, heads: Vec<Head>, edition: String) -> Result<()> {
        let desk = self.clone();
        self.db
            .write(By::system(), move |tx| {
                for head in &heads {
                    let Some(revision) = store::revision(tx.conn, &head.id, head.revision)? else { continue };
                    let mut judgement = revision.judgement()?;
                    judgement.place = desk.place_of(&revision.raw()?);
                    let Some(release) = desk.forms.release(&head.form, head.version as u32)? else {
                        continue;
                    };
                    store::add_tag(tx.conn, &tag_row(head, &judgement.place, &edition, At::from(tx.now()))?)?;
                    let area = Area::of(&judgement, &release);
                    store::set_place(tx.conn, &head.id, &area, &edition)?;
                    desk.watchers.moved(tx, &head.id, area.codes())?;
                }
                let details = json!({ "count": heads.len() });
                audit::record(tx, Event::new("submissions.retagged", "boundaries", &edition, details))
            })
            .await
    }

    /// Where a stored envelope's fix lies by the current set.
    fn place_of(&self, raw: &[u8]) -> PlaceTag {
        #[derive(serde::Deserialize)]
        struct Located {
            location: Option<Point>,
        }
        let located = serde_json::from_slice::<Located>(raw).ok().and_then(|envelope| envelope.location);
        match located {
            Some(point) => {
                self.places.locate(&Fix { lat: point.lat, lon: point.lon, accuracy_m: point.accuracy_m })
            }
            None => PlaceTag::no_fix(),
        }
    }
}

fn tag_row(head: &Head, place: &PlaceTag, edition: &str, at: At) -> Result<TagRow> {
    Ok(TagRow {
        submission_id: head.id.clone(),
        revision: head.revision,
        tagged_at: at,
        status: place.status.to_string(),
        edition: edition.to_owned(),
        tag: Json::of(place)?,
    })
}
