//! Facilities: the register of workplaces and residential facilities. A place is registered in the field, provisional and
//! under an id the phone made; a supervisor confirms it, or merges it into the one it turns out to be. What happened to a
//! facility is never changed; what it is now is one row. This room knows nothing of submissions: rooms above it say when a
//! facility was visited.

mod area;
mod changes;
mod coverage;
mod demo;
mod duplicates;
mod facts;
mod following;
mod grid;
mod kinds;
mod ledger;
mod merging;
mod model;
mod names;
mod reading;
mod register;
mod relocation;
mod routes;
mod search;
mod sight;
mod store;
mod table;
mod views;
mod visits;
mod words;

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};

pub use coverage::visit_interval_days;
pub use facts::{Contact, Facts, Link, Operator, Position, Registration};
pub use following::{Follower, Moved};
pub use kinds::{FacilityKind, KindOf, kinds};
pub use model::{Facility, FacilityForPhone, FacilityId, Relation, Risk, Status};
pub(crate) use routes::routes;
pub use sight::Sight;
pub use table::{LineProblem, Mode, Report, export};
pub use visits::{not_visited, rate, visited};

use crate::clock::Clock;
use crate::db::{Db, DbConn};
use crate::error::Result;
use crate::places::Places;
use following::Followers;

/// The room's service; clones share it.
#[derive(Clone)]
pub struct Facilities {
    db: Db,
    places: Places,
    clock: Clock,
    spool: PathBuf,
    followers: Followers,
}

impl Facilities {
    /// Opens the room. Files that are being imported wait in the folder `spool`.
    pub fn new(db: Db, places: Places, clock: Clock, spool: PathBuf) -> Facilities {
        Facilities { db, places, clock, spool, followers: Arc::from([]) }
    }

    /// The same room, with these told of every facility that turns out to lie elsewhere.
    pub fn followed_by(self, followers: Vec<Arc<dyn Follower>>) -> Facilities {
        Facilities { followers: followers.into(), ..self }
    }

    /// Removes files that a crash left waiting: for a server that starts.
    pub fn forget_imports(&self) {
        let _ = std::fs::remove_dir_all(&self.spool);
    }
}

/// The facility with this id, as it stands, merged or not.
pub fn find(conn: &mut DbConn, id: &FacilityId) -> Result<Option<Facility>> {
    store::row(conn, id)
}

/// The facility that is meant by this id: of one that was merged, the one that goes on in its stead.
pub fn resolve(conn: &mut DbConn, id: &FacilityId) -> Result<Option<Facility>> {
    let Some(row) = store::row(conn, id)? else { return Ok(None) };
    match &row.merged_into {
        None => Ok(Some(row)),
        Some(survivor) => store::row(conn, survivor),
    }
}

/// The facility meant by this id, if somebody who reads so may see it.
pub fn seen(conn: &mut DbConn, id: &FacilityId, sight: &Sight) -> Result<Option<Facility>> {
    store::visible_row(conn, id, sight)
}

/// Every id under which the facility meant by this one was ever known: its own, and those merged into it. For whoever asks
/// what was filed about it.
pub fn ids_of(conn: &mut DbConn, id: &FacilityId) -> Result<Vec<FacilityId>> {
    let Some(row) = resolve(conn, id)? else { return Ok(vec![id.clone()]) };
    let absorbed = store::absorbed(conn, &row.id)?.into_iter().map(|absorbed| absorbed.id);
    Ok(absorbed.chain([row.id.clone()]).collect())
}

/// What rules see as `facility`; null: nobody registered it.
pub fn context(conn: &mut DbConn, id: &FacilityId) -> Result<Value> {
    let Some(row) = resolve(conn, id)? else { return Ok(Value::Null) };
    let facts = row.facts()?;
    let unending = facts.registrations.iter().any(|it| it.valid_to.is_none());
    let until = facts.registrations.iter().filter_map(|it| it.valid_to).max().filter(|_| !unending);
    Ok(json!({
        "id": row.id, "code": row.code, "kind": row.kind, "line": row.line, "status": row.status,
        "province": row.province, "division": row.division, "district": row.district, "tehsil": row.tehsil,
        "position": row.lat.zip(row.lon).map(|(lat, lon)| json!({ "lat": lat, "lon": lon, "accuracy_m": row.accuracy_m })),
        "capacity": row.capacity, "sector": facts.sector, "registered": !facts.registrations.is_empty(),
        "registrations": facts.registrations, "licensed_until": until, "risk": row.risk,
        "last_visited_on": row.last_visited_at.map(|at| at.utc().date_naive()), "visit_count": row.visit_count,
    }))
}

/// These facilities as a phone holds them. Of one that was merged the phone is told into which.
pub fn for_phone(conn: &mut DbConn, ids: &[FacilityId]) -> Result<Vec<FacilityForPhone>> {
    store::rows(conn, ids)?.into_iter().map(FacilityForPhone::of).collect()
}

/// All that somebody who reads so may see, by id, after this one: for a phone that begins anew, and for the planner.
pub fn within(
    conn: &mut DbConn,
    sight: &Sight,
    after: Option<&FacilityId>,
    limit: i64,
) -> Result<Vec<Facility>> {
    store::all_visible(conn, sight, after.map_or("", FacilityId::as_str), limit)
}

/// Of these facilities, those that somebody who reads so may see, as a phone holds them.
pub fn for_phone_seen(conn: &mut DbConn, ids: &[FacilityId], sight: &Sight) -> Result<Vec<FacilityForPhone>> {
    store::visible_rows(conn, ids, sight)?.into_iter().map(FacilityForPhone::of).collect()
}
