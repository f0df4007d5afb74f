//! Who may make a visit: somebody of the kind's role, working where the place lies, and, where visits rotate, not whoever
//! made the last one. What one person has got used to, another sees.

use super::Assignments;
use super::model::Assignment;
use crate::accounts::{self, Account, AccountId, AccountStatus, Kind};
use crate::db::DbConn;
use crate::error::{Error, Result};
use crate::facilities::{self, FacilityId};
use crate::submissions;

/// Every id a facility is known by; of one that nobody registered, the one it was named by.
pub(super) fn names_of(conn: &mut DbConn, facility: &str) -> Result<Vec<String>> {
    match facility.parse::<FacilityId>() {
        Ok(id) => Ok(facilities::ids_of(conn, &id)?.iter().map(ToString::to_string).collect()),
        Err(_) => Ok(vec![facility.to_owned()]),
    }
}

impl Assignments {
    /// Accounts that cannot make the next visit of this kind, since they made the last one.
    pub(super) fn out_of_turn(&self, conn: &mut DbConn, kind: Kind, names: &[String]) -> Result<Vec<String>> {
        if !self.rules.rotates(kind) {
            return Ok(Vec::new());
        }
        Ok(submissions::last_visit(conn, names, kind)?.map(|visit| visit.account).into_iter().collect())
    }

    /// Passes an account that is not out of turn, by the assignment and by what was filed since.
    pub(super) fn in_turn(&self, conn: &mut DbConn, row: &Assignment, account: &str) -> Result<()> {
        let names = names_of(conn, &row.facility)?;
        let mut excluded = self.out_of_turn(conn, row.kind, &names)?;
        excluded.extend(row.not_for()?);
        match excluded.iter().any(|other| other == account) {
            false => Ok(()),
            true => Err(Error::conflict(
                "rotation_forbids",
                format!(
                    "whoever made the last {} of this place does not make the next one; leave it to somebody else",
                    row.kind
                ),
            )),
        }
    }

    /// Passes somebody who can be given the visit.
    pub(super) fn fits(&self, conn: &mut DbConn, row: &Assignment, id: &AccountId) -> Result<()> {
        let account = accounts::account(conn, id)?;
        let areas: Vec<&str> = row.areas().collect();
        let fitting = account.filter(|account| can_visit(account, row.kind, &areas));
        match fitting {
            Some(_) => self.in_turn(conn, row, id.as_str()),
            // Who does not exist and who is of another line or area are the same to whoever asks.
            None => Err(Error::invalid(
                "assignee_unfit",
                format!(
                    "account {id} is nobody who files {}s where the place lies; name somebody else, or a pool",
                    row.kind
                ),
            )),
        }
    }
}

fn can_visit(account: &Account, kind: Kind, areas: &[&str]) -> bool {
    account.status == AccountStatus::Active
        && account.post().is_some_and(|post| post.may(kind.filing()))
        && account.areas.iter().any(|area| areas.contains(&area.as_str()))
}
