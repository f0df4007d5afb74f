//! Assignments as readers see them.

use serde::Serialize;
use serde_json::Value;

use super::model::{Assignment, AssignmentId, Deed, EventRow, Origin, State};
use super::working::Step;
use crate::accounts::{Kind, Line};
use crate::db::At;
use crate::error::Result;
use crate::facilities::{FacilityForPhone, FacilityId};

/// The place a visit goes to.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = VisitedPlace)]
pub(super) struct Place {
    /// Its id: of a place that was merged, the one that goes on in its stead.
    pub(super) id: FacilityId,
    /// Its code.
    code: String,
    /// Its kind.
    kind: String,
    /// Its name in Latin letters.
    name_en: Option<String>,
    /// Its name in Urdu.
    name_ur: Option<String>,
    /// Latitude in degrees.
    lat: Option<f64>,
    /// Longitude in degrees.
    lon: Option<f64>,
}

impl Place {
    pub(super) fn of(it: FacilityForPhone) -> Place {
        Place {
            id: it.id,
            code: it.code,
            kind: it.kind,
            name_en: it.name_en,
            name_ur: it.name_ur,
            lat: it.lat,
            lon: it.lon,
        }
    }
}

/// An assignment in a list.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "form": "child-labour-inspection", "kind": "inspection", "line": "labour",
    "facility": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f11",
    "place": { "id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f11", "code": "PK226-K-0042", "kind": "brick_kiln",
        "name_en": "Demo Kiln One", "name_ur": null, "lat": 30.1921, "lon": 67.0075 },
    "district": "PK226", "origin": "finding", "origin_id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f12", "assignee": null,
    "pool": "PK226", "from_at": "2026-11-20T12:00:00Z", "due_at": "2026-11-27T18:59:59Z", "overdue": false, "state": "open",
    "findings": ["0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f12"], "completed_by": null, "version": 1
}))]
pub(super) struct ListedAssignment {
    /// Its id.
    pub(super) id: AssignmentId,
    /// The form to fill.
    form: String,
    /// What the form is for.
    kind: Kind,
    /// The line whose people make the visit.
    line: Line,
    /// The facility, as it was named; none: the district's services are asked about.
    facility: Option<String>,
    /// What is known of it; none: nobody registered it yet.
    place: Option<Place>,
    district: Option<String>,
    /// Where the assignment comes from.
    origin: Origin,
    /// The finding, the audit, or the planner's date.
    origin_id: Option<String>,
    /// Whose it is; none: it waits in the pool.
    assignee: Option<String>,
    /// The district whose people may take it while it is nobody's.
    pool: Option<String>,
    /// The visit is wanted from here on.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    from_at: At,
    /// It is due by then. Later is late, not too late.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub(super) due_at: At,
    /// It is still to be made, and the due date has passed.
    overdue: bool,
    state: State,
    /// Findings to be seen on the visit.
    findings: Vec<String>,
    /// The submission that showed that it was made.
    completed_by: Option<String>,
    /// Counts what happened; send it as `If-Match`.
    version: i32,
}

/// An assignment with its history.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "form": "child-labour-inspection", "state": "open", "version": 1,
    "reason": "See whether the finding was put right.", "not_for": [], "may": ["take"],
    "prev": { "last_visit": { "submission": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f13", "finished_at": "2026-11-12T09:00:00Z",
        "verdict": "valid", "review": "accepted" }, "open_findings": 1,
        "open": [{ "code": "REC-01", "severity": "minor", "state": "remedied", "due_at": "2026-11-27T09:00:00Z", "recurrence": 0 }],
        "counts": { "remedied": 1 } },
    "history": [{ "n": 1, "deed": "assignment.made", "state": "open", "at": "2026-11-20T12:00:00Z" }]
}))]
pub(super) struct AssignmentView {
    #[serde(flatten)]
    listed: ListedAssignment,
    /// What the visit is for, in the words of whoever made it.
    reason: String,
    /// Accounts that cannot take it.
    not_for: Vec<String>,
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    made_at: At,
    /// By which account; none: by the system.
    made_by: Option<String>,
    /// When the submission arrived that completed it.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    completed_at: Option<At>,
    /// Why it is no longer wanted.
    cancelled_because: Option<String>,
    /// What is known of earlier visits. Nothing about any child.
    #[schema(value_type = Object)]
    prev: Value,
    /// What you may do with it now.
    may: Vec<Step>,
    history: Vec<EventView>,
}

/// Something that happened to an assignment.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = AssignmentEvent)]
pub(super) struct EventView {
    /// The assignment's version after it.
    n: i32,
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    at: At,
    /// By which account; none: by the system.
    by: Option<String>,
    deed: Deed,
    /// Where it stood after it.
    state: State,
    /// The submission that caused it.
    submission: Option<String>,
    reason: Option<String>,
    /// What else belongs to it.
    #[schema(value_type = Object)]
    details: Value,
}

pub(super) fn listed(row: &Assignment, place: Option<&Place>, now: At) -> Result<ListedAssignment> {
    Ok(ListedAssignment {
        id: row.id.clone(),
        form: row.form.clone(),
        kind: row.kind,
        line: row.line,
        facility: row.facility().map(str::to_owned),
        place: place.cloned(),
        district: row.district.clone(),
        origin: row.origin,
        origin_id: row.origin_id.clone(),
        assignee: row.assignee.clone(),
        pool: row.pool.clone(),
        from_at: row.from_at,
        due_at: row.due_at,
        overdue: row.is_overdue(now),
        state: row.state,
        findings: row.findings()?,
        completed_by: row.completed_by.clone(),
        version: row.version,
    })
}

pub(super) fn assignment(
    row: &Assignment,
    listed: ListedAssignment,
    prev: Value,
    may: Vec<Step>,
    events: Vec<EventRow>,
) -> Result<AssignmentView> {
    Ok(AssignmentView {
        listed,
        reason: row.reason.clone(),
        not_for: row.not_for()?,
        made_at: row.made_at,
        made_by: row.made_by.clone(),
        completed_at: row.completed_at,
        cancelled_because: row.cancelled_because.clone(),
        prev,
        may,
        history: events.into_iter().map(event).collect::<Result<_>>()?,
    })
}

fn event(row: EventRow) -> Result<EventView> {
    Ok(EventView {
        n: row.n,
        at: row.at,
        by: row.account_id,
        deed: row.deed,
        state: row.state,
        submission: row.submission_id,
        reason: row.reason,
        details: row.details.read()?,
    })
}

impl AssignmentView {
    /// Its entity tag.
    pub(super) fn etag(&self) -> String {
        format!("\"{}\"", self.listed.version)
    }
}
