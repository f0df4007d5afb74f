//! Following: rooms above this one (assignments) hear, in the same transaction, that people moved a finding. What a
//! follower writes stands or falls with what it heard of.

use super::model::{Case, FindingId, Severity, State};
use super::{Findings, store};
use crate::accounts::Kind;
use crate::db::{At, Tx};
use crate::error::Result;

/// Somebody who must know that people moved a finding.
///
/// A unit of work may run twice before it is committed, so nothing here may leave the machine.
pub trait Follower: Send + Sync {
    /// A finding stands elsewhere than before.
    fn moved(&self, tx: &mut Tx, moved: &Moved) -> Result<()>;
}

/// A finding that people moved.
#[derive(Clone, Debug)]
pub struct Moved {
    /// Its id.
    pub id: FindingId,
    /// The rule.
    pub code: String,
    /// The form that shows it.
    pub form: String,
    /// What the form is for.
    pub kind: Kind,
    /// The facility, as the submission names it.
    pub facility: Option<String>,
    /// As people see it now.
    pub severity: Severity,
    /// Where it stood.
    pub from: State,
    /// Where it stands.
    pub to: State,
    /// When the visit ended that opened it.
    pub visited_at: At,
    /// Codes of its areas: province, division, district.
    pub areas: [Option<String>; 3],
}

impl Findings {
    /// Tells the followers, if the case stands elsewhere than it did.
    pub(super) fn tell_followers(&self, tx: &mut Tx, id: &FindingId, before: State) -> Result<()> {
        if self.followers.is_empty() {
            return Ok(());
        }
        let Some(case) = store::case(tx.conn, id)?.filter(|case| case.state != before) else { return Ok(()) };
        let moved = moved(case, before)?;
        self.followers.iter().try_for_each(|follower| follower.moved(tx, &moved))
    }
}

fn moved(case: Case, from: State) -> Result<Moved> {
    Ok(Moved {
        form: case.rule()?.form,
        id: case.id,
        code: case.code,
        kind: case.kind,
        facility: case.facility,
        severity: case.severity,
        from,
        to: case.state,
        visited_at: case.visited_at,
        areas: [case.province, case.division, case.district],
    })
}
