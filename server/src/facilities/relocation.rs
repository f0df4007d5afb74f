//! When boundaries are imported, every facility with a position is located again. Its code stays: it stands on paper.

use serde_json::json;

use super::ledger::{self, Entry};
use super::model::{Deed, FacilityId};
use super::{Facilities, area, following, store};
use crate::audit::{self, Event};
use crate::db::{By, Tx};
use crate::error::Result;

/// Facilities located in one unit of work.
const BATCH: i64 = 200;

impl Facilities {
    /// Locates every facility that the boundaries now loaded have not located yet; returns how many that were.
    pub async fn relocate(&self) -> Result<usize> {
        let Some(edition) = self.places.edition() else { return Ok(0) };
        let (mut total, mut after) = (0, String::new());
        loop {
            let (wanted, from) = (edition.clone(), after.clone());
            let ids = self.db.read(move |conn| store::not_of_edition(conn, &wanted, &from, BATCH)).await?;
            let Some(last) = ids.last() else { return Ok(total) };
            after = last.to_string();
            total += ids.len();
            let (room, edition) = (self.clone(), edition.clone());
            self.db.write(By::system(), move |tx| room.relocate_batch(tx, &ids, &edition)).await?;
        }
    }

    fn relocate_batch(&self, tx: &mut Tx, ids: &[FacilityId], edition: &str) -> Result<()> {
        store::lock(tx.conn, &ids.iter().collect::<Vec<_>>())?;
        for before in store::rows(tx.conn, ids)? {
            let mut row = before.clone();
            row.lie_in(area::of(&self.places, &before.facts()?, before.district.as_deref()));
            match row.district == before.district {
                true => store::change(tx.conn, &row)?,
                false => {
                    ledger::touch(tx, &before, &mut row, Some(Entry::of(Deed::Relocated)))?;
                    following::tell(tx, &self.followers, &row.id, &before, &row)?;
                }
            }
        }
        let details = json!({ "count": ids.len() });
        audit::record(tx, Event::new("facilities.relocated", "boundaries", edition, details))
    }
}
