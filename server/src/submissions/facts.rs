//! What the rooms above may know of a submission: its head, and what was said of a revision. They enforce for
//! themselves who is shown it.

use serde::Serialize;

use super::model::{Head, Judgement, Review, SubmissionId, Verdict};
use super::reading::Reader;
use super::{review, store};
use crate::accounts::{Actor, Kind};
use crate::db::{At, DbConn};
use crate::error::Result;

/// A submission as it stands.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Its id.
    pub id: SubmissionId,
    /// The form it answers.
    pub form: String,
    /// The release of the form.
    pub version: u32,
    /// What the form is for.
    pub kind: Kind,
    /// The revision that stands.
    pub revision: i32,
    /// The facility as the envelope names it.
    pub facility: Option<String>,
    /// Who filed it.
    pub account: String,
    /// Where it stands with its reviewer.
    pub review: Review,
    /// When the visit ended.
    pub finished_at: At,
    /// The areas it belongs to, widest first.
    pub areas: Vec<String>,
}

impl Facts {
    fn of(head: Head) -> Facts {
        let areas = [head.province, head.division, head.district, head.tehsil];
        Facts {
            id: head.id,
            form: head.form,
            version: head.version as u32,
            kind: head.kind,
            revision: head.revision,
            facility: head.facility,
            account: head.account_id,
            review: head.review,
            finished_at: head.finished_at,
            areas: areas.into_iter().flatten().collect(),
        }
    }
}

/// A submission as it stands; none: there is none with this id.
pub fn facts(conn: &mut DbConn, id: &str) -> Result<Option<Facts>> {
    let Ok(id) = id.parse::<SubmissionId>() else { return Ok(None) };
    Ok(store::head(conn, &id)?.map(Facts::of))
}

/// A submission as it stands, if this person may read it.
pub fn readable(conn: &mut DbConn, id: &SubmissionId, actor: &Actor) -> Result<Option<Facts>> {
    let reader = Reader { actor: actor.clone(), reason: None };
    Ok(store::visible_head(conn, id, &reader.sight())?.map(Facts::of))
}

/// The last visit to a facility, as those who go there next may know it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct LastVisit {
    /// The submission that shows it.
    pub submission: SubmissionId,
    /// The revision that stands.
    pub revision: i32,
    /// When it ended.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub finished_at: At,
    /// What the rules said of its answers.
    pub verdict: Verdict,
    /// Where it stands with its reviewer.
    pub review: Review,
    /// Who filed it. Not told to phones.
    #[serde(skip)]
    pub account: String,
}

impl LastVisit {
    fn of(head: Head) -> LastVisit {
        LastVisit {
            submission: head.id,
            revision: head.revision,
            finished_at: head.finished_at,
            verdict: head.verdict,
            review: head.review,
            account: head.account_id,
        }
    }
}

/// The last visit of this kind to a facility, known under any of these ids, unless it was rejected.
pub fn last_visit(conn: &mut DbConn, facilities: &[String], kind: Kind) -> Result<Option<LastVisit>> {
    let counts = [Review::Received, Review::Returned, Review::Accepted];
    Ok(store::last_of_kind(conn, facilities, kind, &counts)?.map(LastVisit::of))
}

/// The last accepted visit of this kind to a facility: the one rules read as `prev`.
pub fn last_accepted(conn: &mut DbConn, facilities: &[String], kind: Kind) -> Result<Option<LastVisit>> {
    Ok(store::last_of_kind(conn, facilities, kind, &[Review::Accepted])?.map(LastVisit::of))
}

/// What was said of a revision when it was filed; what was found, as it stands with what its reviewer answered.
pub fn judged(conn: &mut DbConn, id: &str, revision: i32) -> Result<Option<Judgement>> {
    let Ok(id) = id.parse::<SubmissionId>() else { return Ok(None) };
    let Some(row) = store::revision(conn, &id, revision)? else { return Ok(None) };
    let mut judgement = row.judgement()?;
    if !judgement.asked_at_review.is_empty()
        && let Some(found) = review::findings_at_review(conn, &id, revision)?
    {
        judgement.findings = found;
    }
    Ok(Some(judgement))
}
