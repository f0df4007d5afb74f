//! Moving: an open visit lies where its place lies. A place that is corrected, located by new boundaries, or merged into
//! one across a border takes its visits along, out of the old district's pool into the new one's.

use serde_json::json;

use super::ledger::{self, Note};
use super::model::{Assignment, Deed};
use super::rotation::names_of;
use super::{Assignments, store};
use crate::accounts::Kind;
use crate::db::Tx;
use crate::error::Result;
use crate::facilities::Moved;

impl Assignments {
    /// Brings the open visits to a place into line with where it lies now.
    pub(super) fn follow_place(&self, tx: &mut Tx, moved: &Moved) -> Result<()> {
        let names = names_of(tx.conn, &moved.id)?;
        for kind in Kind::ALL {
            for before in store::open_at(tx.conn, &names, *kind)? {
                move_to(tx, before, &moved.areas)?;
            }
        }
        Ok(())
    }
}

fn move_to(tx: &mut Tx, before: Assignment, areas: &[Option<String>; 3]) -> Result<()> {
    let [province, division, district] = areas.clone();
    // A pool that somebody named stays.
    let pool = if before.pool == before.district { district.clone() } else { before.pool.clone() };
    let row = Assignment { province, division, district, pool, ..before.clone() };
    if row == before {
        return Ok(());
    }
    let details = json!({ "district": [before.district, row.district], "pool": [before.pool, row.pool] });
    ledger::amend(tx, &before, row, Deed::Moved, Note { details, ..Note::default() }).map(drop)
}
