//! Findings: what the rules find becomes a case that somebody must finish. Cases follow the rules (reconciled with every
//! filing, in its transaction), are worked by people step by step, are watched by the clock, and are sent to those who can
//! help. Nothing is deleted: what is no longer true is superseded, and every deed is an event.

mod alarms;
mod books;
mod calendar;
mod casework;
mod copy;
mod deadlines;
mod decisions;
mod evidence;
mod extracts;
mod filter;
mod following;
mod matrix;
mod model;
mod notices;
mod pausing;
mod print;
mod reading;
mod reconcile;
mod referrals;
mod requests;
mod routes;
mod steps;
mod store;
mod views;
mod working;

use std::sync::Arc;

use serde_json::{Map, Value, json};

use calendar::Calendar;
use matrix::Matrix;
use model::Case;

pub use alarms::DEADLINES;
pub use books::{Happened, Kept, KeptReferral, books};
pub use extracts::{
    Named, OpenFinding, RiskTerms, awaiting_proof, history_extract, open_for_facility, readable, risk_terms,
};
pub use following::{Follower, Moved};
pub use model::{Cause, Deed, FindingId, Severity, State, Wish};
pub use notices::NOTIFY;
pub use referrals::{Approval, Basis, ReferralId, ReferralState};
pub use steps::Step;

pub(crate) use routes::routes;

use crate::clock::Clock;
use crate::db::{At, Db, DbConn, Tx, storable};
use crate::error::Result;
use crate::facilities::{self, FacilityId};
use crate::forms::Forms;
use crate::submissions::{Areas, Decision, FiledRevision, SubmissionId, Watcher};

/// The room's service; clones share it.
#[derive(Clone)]
pub struct Findings {
    db: Db,
    clock: Clock,
    forms: Forms,
    matrix: Arc<Matrix>,
    calendar: Arc<Calendar>,
    followers: Arc<[Arc<dyn Follower>]>,
}

impl Findings {
    /// Opens the room. The referral matrix and the calendar are checked here: a mistake in them stops the start.
    pub fn open(db: Db, clock: Clock, forms: Forms) -> Result<Findings> {
        let (matrix, calendar) = (Arc::new(Matrix::builtin()?), Arc::new(Calendar::builtin()?));
        Ok(Findings { db, clock, forms, matrix, calendar, followers: Arc::from([]) })
    }

    /// The same room, with these told of every finding that people move.
    pub fn followed_by(self, followers: Vec<Arc<dyn Follower>>) -> Findings {
        Findings { followers: followers.into(), ..self }
    }

    /// Where a filing says it was. A facility that was merged is the one that goes on in its stead.
    fn place(&self, tx: &mut Tx, filed: &FiledRevision) -> Result<Place> {
        let Some(named) = filed.facility else {
            return Ok(Place { facility: None, known_as: vec![filed.submission.to_string()] });
        };
        let known_as = known_as(tx.conn, named)?;
        Ok(Place { facility: known_as.last().cloned(), known_as })
    }
}

impl Watcher for Findings {
    fn filed(&self, tx: &mut Tx, filed: &FiledRevision) -> Result<()> {
        self.reconcile(tx, filed)
    }

    fn reviewed(&self, tx: &mut Tx, reviewed: &FiledRevision) -> Result<()> {
        self.reconcile(tx, reviewed)
    }

    fn moved(&self, tx: &mut Tx, submission: &SubmissionId, areas: Areas) -> Result<()> {
        store::set_areas(tx.conn, submission.as_str(), (areas.province, areas.division, areas.district))
    }

    /// `open_findings` of an inspection's place, `open_items` of a home: what earlier visits found and nobody finished.
    fn remembers(
        &self,
        conn: &mut DbConn,
        facility: &str,
        form: &str,
        ended: At,
    ) -> Result<Map<String, Value>> {
        let places = known_as(conn, facility)?;
        let open = store::unfinished_of(conn, &places, form, ended)?;
        Ok(Map::from_iter(["open_findings", "open_items"].map(|name| (name.to_owned(), json!(open)))))
    }

    fn decided(&self, tx: &mut Tx, decision: &Decision) -> Result<()> {
        self.follow(tx, decision)
    }
}

/// Where something was found.
struct Place {
    /// The facility new cases are kept under.
    facility: Option<String>,
    /// Every id under which earlier cases may be kept; the last is the one in use.
    known_as: Vec<String>,
}

/// Every id under which a facility was ever known, the one in use last; one nobody registered has its own.
fn known_as(conn: &mut DbConn, facility: &str) -> Result<Vec<String>> {
    let facility = storable(facility.to_owned());
    let Ok(id) = facility.parse::<FacilityId>() else { return Ok(vec![facility]) };
    Ok(facilities::ids_of(conn, &id)?.iter().map(ToString::to_string).collect())
}

fn case(conn: &mut DbConn, id: &FindingId) -> Result<Option<Case>> {
    store::case(conn, id)
}
