//! Assignments: visits somebody is to make. They are born of findings (was it put right?), of audits (when is the next
//! one?), of supervisors and of the planner; they are somebody's, or wait in a district's pool until somebody takes them.
//! A visit completes its assignments by being filed, in the transaction that files it, wherever and by whomever of those
//! who may.
//!
//! What a newcomer would get wrong: a due date is not the last day. What is overdue stays open and is done late.

mod births;
mod books;
mod completion;
mod days;
mod filter;
mod for_phone;
mod ledger;
mod making;
mod model;
mod moving;
mod planner;
mod reading;
mod requests;
mod rotation;
mod routes;
mod rules;
mod store;
mod views;
mod working;

use std::sync::Arc;

pub use books::{Happened, Kept, books};
pub use for_phone::{AssignmentForPhone, for_phone, within};
pub use model::{AssignmentId, Deed, Origin, State};

pub(crate) use routes::routes;

use crate::clock::Clock;
use crate::db::{Db, Tx};
use crate::error::Result;
use crate::facilities;
use crate::findings::{Follower, Moved};
use crate::submissions::{Decision, FiledRevision, Watcher};
use planner::Weights;
use rules::Rules;

/// The room's service; clones share it.
#[derive(Clone)]
pub struct Assignments {
    db: Db,
    clock: Clock,
    rules: Arc<Rules>,
    weights: Arc<Weights>,
}

impl Assignments {
    /// Opens the room. Its rules and the planner's weights are checked here: a mistake in them stops the start.
    pub fn open(db: Db, clock: Clock) -> Result<Assignments> {
        let (rules, weights) = (Arc::new(Rules::builtin()?), Arc::new(Weights::builtin()?));
        Ok(Assignments { db, clock, rules, weights })
    }
}

impl Watcher for Assignments {
    fn filed(&self, tx: &mut Tx, filed: &FiledRevision) -> Result<()> {
        self.complete_by(tx, filed)?;
        self.set_next_audit(tx, filed)
    }

    fn decided(&self, tx: &mut Tx, decision: &Decision) -> Result<()> {
        self.follow_decision(tx, decision)
    }
}

impl facilities::Follower for Assignments {
    fn moved(&self, tx: &mut Tx, moved: &facilities::Moved) -> Result<()> {
        self.follow_place(tx, moved)
    }
}

impl Follower for Assignments {
    fn moved(&self, tx: &mut Tx, moved: &Moved) -> Result<()> {
        self.follow_finding(tx, moved)
    }
}
