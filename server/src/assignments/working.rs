//! Working with assignments: taking one from the pool, handing it to somebody, taking it back. Whoever acts may say which
//! version they saw (`If-Match`); acting on an older one is refused, and of two who act at once the second is told.

use serde::Serialize;
use serde_json::json;

use super::ledger::{self, Note};
use super::making::office;
use super::model::{Assignment, AssignmentId, Deed, State};
use super::reading::{Sight, visible};
use super::requests::{self, NewAssignee};
use super::{Assignments, store};
use crate::accounts::{Actor, Permission};
use crate::db::{DbConn, Tx};
use crate::error::{Error, Result};
use crate::http::{needed_words, words};

/// What one may do with an assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AssignmentStep)]
pub(super) enum Step {
    /// Take it from the pool.
    Take,
    /// Hand it to somebody, or put it into a pool.
    Assign,
    /// Take it back.
    Cancel,
}

/// Which assignment, and which version of it was on the page.
pub(super) type OnPage = crate::http::OnPage<AssignmentId>;

impl OnPage {
    /// The assignment, if the person may see it and saw it as it stands.
    fn row(&self, tx: &mut Tx, sight: &Sight) -> Result<Assignment> {
        let row = visible(tx.conn, &self.id, sight)?;
        match self.version {
            Some(known) if known != row.version => Err(Error::stale(
                "assignment_stale",
                format!(
                    "assignment {} has moved on from version {known} to {}; read it again",
                    row.id, row.version
                ),
            )
            .with("version", row.version)
            .with("state", row.state.as_str())),
            _ => Ok(row),
        }
    }

    /// The same, if the visit is still to be made.
    fn open_row(&self, tx: &mut Tx, sight: &Sight) -> Result<Assignment> {
        let row = self.row(tx, sight)?;
        match row.state {
            State::Open => Ok(row),
            State::Done | State::Cancelled => Err(Error::conflict(
                "assignment_not_open",
                format!(
                    "assignment {} is {} already; there is nothing left to do about it",
                    row.id, row.state
                ),
            )
            .with("state", row.state.as_str())),
        }
    }
}

/// What somebody may do with an assignment now.
pub(super) fn open_to(
    room: &Assignments,
    conn: &mut DbConn,
    actor: &Actor,
    row: &Assignment,
) -> Result<Vec<Step>> {
    if row.state != State::Open {
        return Ok(Vec::new());
    }
    if actor.has(Permission::MakeAssignments) {
        return Ok(vec![Step::Assign, Step::Cancel]);
    }
    let takes = actor.has(Permission::TakeAssignments)
        && row.assignee.is_none()
        && room.in_turn(conn, row, actor.account.as_str()).is_ok();
    Ok(takes.then_some(Step::Take).into_iter().collect())
}

impl Assignments {
    /// Takes an assignment from the pool. Taking what is one's own already changes nothing.
    pub(super) async fn take(&self, actor: Actor, page: OnPage) -> Result<AssignmentId> {
        actor.may(Permission::TakeAssignments)?;
        let sight = Sight::of(&actor)?;
        let (room, by, me) = (self.clone(), actor.by(), actor.account.to_string());
        self.db
            .write(by, move |tx| {
                let row = room.to_take(tx, &page, &sight)?;
                match &row.assignee {
                    Some(whose) if *whose == me => return Ok(row.id),
                    Some(_) => return Err(taken(&row.id)),
                    None => {}
                }
                room.in_turn(tx.conn, &row, &me)?;
                let mine = Assignment { assignee: Some(me.clone()), ..row.clone() };
                let note = Note { details: json!({ "assignee": me }), ..Note::default() };
                ledger::amend(tx, &row, mine, Deed::Taken, note).map(|row| row.id)
            })
            .await
    }

    /// Hands an assignment to somebody, or puts it into a pool.
    pub(super) async fn assign(&self, actor: Actor, page: OnPage, new: NewAssignee) -> Result<AssignmentId> {
        let sight = office(&actor)?;
        requests::one_of(new.assignee, new.pool.as_ref())?;
        if new.assignee.is_none() && new.pool.is_none() {
            return Err(Error::invalid("assignee_or_pool", "name an `assignee`, or the `pool` it goes into"));
        }
        let pool = new.pool.as_deref().map(requests::pool).transpose()?;
        let reason = words("reason", new.reason)?;
        let (room, by) = (self.clone(), actor.by());
        self.db
            .write(by, move |tx| {
                let row = page.open_row(tx, &sight)?;
                let mut handed = row.clone();
                room.hand_to(tx.conn, &mut handed, new.assignee, pool.clone())?;
                if handed == row {
                    return Ok(row.id);
                }
                let details = json!({ "assignee": handed.assignee, "pool": handed.pool });
                let note = Note { reason: reason.clone(), details, ..Note::default() };
                ledger::amend(tx, &row, handed, Deed::Assigned, note).map(|row| row.id)
            })
            .await
    }

    /// Takes an assignment back.
    pub(super) async fn cancel(&self, actor: Actor, page: OnPage, reason: String) -> Result<AssignmentId> {
        let sight = office(&actor)?;
        let reason = needed_words("reason", Some(reason))?;
        let by = actor.by();
        self.db
            .write(by, move |tx| {
                let row = page.open_row(tx, &sight)?;
                ledger::cancel(tx, row, reason.clone()).map(|row| row.id)
            })
            .await
    }

    /// What somebody wants to take. What a colleague was quicker to take can no longer be seen; it was there to see, and
    /// so it is said that it is taken.
    fn to_take(&self, tx: &mut Tx, page: &OnPage, sight: &Sight) -> Result<Assignment> {
        let seen = page.open_row(tx, sight);
        match (&seen, store::taken_from_pool(tx.conn, &page.id, sight)?) {
            (Err(error), true) if error.code == "assignment_unknown" => Err(taken(&page.id)),
            _ => seen,
        }
    }
}

fn taken(id: &AssignmentId) -> Error {
    Error::conflict("assignment_taken", format!("somebody else has taken assignment {id}; take another"))
}
