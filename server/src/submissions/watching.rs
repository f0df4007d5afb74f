//! Watching: rooms above this one (findings, assignments) hear of every stored revision and of every decision inside
//! the transaction that stores it. What a watcher writes stands or falls with what it heard of: its error takes the
//! whole unit of work back.

use std::sync::Arc;

use form_engine::Finding;
use serde_json::{Map, Value};

use super::model::{Action, Head, Judgement, Review, SubmissionId};
use crate::accounts::Kind;
use crate::db::{At, DbConn, Tx};
use crate::error::Result;
use crate::forms::Release;

/// Somebody who must know, in the same breath, what was filed and what was decided.
///
/// A unit of work may run twice before it is committed, so nothing here may leave the machine.
pub trait Watcher: Send + Sync {
    /// A revision was stored: the first, a correction, or one that had waited in quarantine. A resend of what is
    /// stored already is not told again.
    fn filed(&self, tx: &mut Tx, filed: &FiledRevision) -> Result<()>;

    /// A reviewer answered what the form asks of reviewers, or answered anew, about the revision that stands: `findings` are what is found
    /// in both together. Nothing was filed.
    fn reviewed(&self, _tx: &mut Tx, _reviewed: &FiledRevision) -> Result<()> {
        Ok(())
    }

    /// Somebody decided about the revision that stands.
    fn decided(&self, tx: &mut Tx, decision: &Decision) -> Result<()>;

    /// New boundaries say that a submission belongs to other areas than before.
    fn moved(&self, _tx: &mut Tx, _submission: &SubmissionId, _areas: Areas) -> Result<()> {
        Ok(())
    }

    /// What this room remembers of the last visit to a facility with this form before `ended`, for rules to read as members of
    /// `prev`: `open_findings`. Asked before a filing is judged, outside its transaction.
    fn remembers(
        &self,
        _conn: &mut DbConn,
        _facility: &str,
        _form: &str,
        _ended: At,
    ) -> Result<Map<String, Value>> {
        Ok(Map::new())
    }
}

/// A revision that has just been stored.
pub struct FiledRevision<'a> {
    /// The submission it belongs to.
    pub submission: &'a SubmissionId,
    /// Its number, from 1. Above 1 it takes the place of the one before.
    pub revision: i32,
    /// The form's code.
    pub form: &'a str,
    /// What the form is for.
    pub kind: Kind,
    /// The release it was filled with and judged by.
    pub release: &'a Release,
    /// The facility as the envelope names it; not looked up.
    pub facility: Option<&'a str>,
    /// Who filed it.
    pub account: &'a str,
    /// The areas it belongs to, by code; they decide who reads it.
    pub areas: Areas<'a>,
    /// When the visit ended, by the phone's clock.
    pub finished_at: At,
    /// When this revision was stored.
    pub received_at: At,
    /// Where the submission stood before; none: this is its first revision. It stands at `received` now.
    pub before: Option<Review>,
    /// When its reviewer answered, if that is what is told: nothing was filed. None: a revision was stored.
    pub answered_at: Option<At>,
    /// What the rules found; provisional ones are marked so.
    pub findings: &'a [Finding],
    /// Everything else that was said of it: answers, calculations, scores, flags, place.
    pub judgement: &'a Judgement,
}

/// A decision about a submission, as it is stored.
pub struct Decision<'a> {
    /// The decision's own id.
    pub id: &'a str,
    /// The submission decided about.
    pub submission: &'a SubmissionId,
    /// The revision that was decided about; it is the one that stands.
    pub revision: i32,
    /// The form's code.
    pub form: &'a str,
    /// What the form is for.
    pub kind: Kind,
    /// The facility as the envelope names it.
    pub facility: Option<&'a str>,
    /// Who filed it.
    pub account: &'a str,
    /// The areas it belongs to, by code.
    pub areas: Areas<'a>,
    /// What was done.
    pub action: Action,
    /// Where the submission stood before.
    pub before: Review,
    /// Where it stands now. `rejected`: it counts for nothing any more.
    pub now: Review,
    /// Who decided.
    pub by: &'a str,
    /// When.
    pub at: At,
    /// Why, in the reviewer's words. Case content: never into a log.
    pub reason: Option<&'a str>,
    /// Until when a returned submission is to be corrected.
    pub due_at: Option<At>,
}

/// Codes of the areas a submission belongs to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Areas<'a> {
    /// The province.
    pub province: Option<&'a str>,
    /// The division.
    pub division: Option<&'a str>,
    /// The district.
    pub district: Option<&'a str>,
    /// The tehsil.
    pub tehsil: Option<&'a str>,
}

impl<'a> Areas<'a> {
    pub(super) fn of(head: &'a Head) -> Areas<'a> {
        Areas {
            province: head.province.as_deref(),
            division: head.division.as_deref(),
            district: head.district.as_deref(),
            tehsil: head.tehsil.as_deref(),
        }
    }
}

/// Everybody who watches, in the order they are told. Clones are the same.
#[derive(Clone, Default)]
pub struct Watchers(Arc<[Arc<dyn Watcher>]>);

impl Watchers {
    /// These, told in this order.
    pub fn new(watchers: Vec<Arc<dyn Watcher>>) -> Watchers {
        Watchers(watchers.into())
    }

    pub(super) fn filed(&self, tx: &mut Tx, filed: &FiledRevision) -> Result<()> {
        self.0.iter().try_for_each(|watcher| watcher.filed(tx, filed))
    }

    pub(super) fn reviewed(&self, tx: &mut Tx, reviewed: &FiledRevision) -> Result<()> {
        self.0.iter().try_for_each(|watcher| watcher.reviewed(tx, reviewed))
    }

    pub(super) fn moved(&self, tx: &mut Tx, submission: &SubmissionId, areas: Areas) -> Result<()> {
        self.0.iter().try_for_each(|watcher| watcher.moved(tx, submission, areas))
    }

    pub(super) fn decided(&self, tx: &mut Tx, decision: &Decision) -> Result<()> {
        self.0.iter().try_for_each(|watcher| watcher.decided(tx, decision))
    }

    /// What all of them remember of the last visit to a facility.
    pub(super) fn remembered(
        &self,
        conn: &mut DbConn,
        facility: &str,
        form: &str,
        ended: At,
    ) -> Result<Map<String, Value>> {
        let mut all = Map::new();
        for watcher in self.0.iter() {
            all.extend(watcher.remembers(conn, facility, form, ended)?);
        }
        Ok(all)
    }
}
