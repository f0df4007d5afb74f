//! What a phone holds of assignments: what is open and the person's own, or free to take in the person's areas; each with
//! what is known of the place, for the visit and for the rules (`prev`). Nothing about any child.

use serde::Serialize;
use serde_json::{Value, json};

use super::model::{Assignment, AssignmentId, Origin};
use super::reading::{Sight, place_of, places_of};
use super::rotation::names_of;
use super::views::Place;
use super::{births, store};
use crate::accounts::{Actor, Kind, Permission};
use crate::db::{At, DbConn};
use crate::error::Result;
use crate::findings;
use crate::submissions;

/// A visit to be made, as a phone holds it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "version": 1, "form": "child-labour-inspection", "kind": "inspection",
    "facility": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f11", "place": null, "district": "PK226", "pool": "PK226", "mine": false,
    "origin": "finding", "from_at": "2026-11-20T12:00:00Z", "due_at": "2026-11-27T18:59:59Z",
    "reason": "See whether finding REC-01 was put right.", "findings": ["0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f12"],
    "prev": { "last_visit": null, "open_findings": 0, "open_items": 0, "open": [], "counts": {} }
}))]
pub struct AssignmentForPhone {
    /// Its id.
    pub id: AssignmentId,
    /// Send it as `If-Match` when taking it.
    pub version: i32,
    /// The form to fill.
    pub form: String,
    /// What the form is for.
    pub kind: Kind,
    /// The facility to name in the submission: of one that was merged, the one that goes on in its stead. None: the
    /// services of `district` are asked about.
    pub facility: Option<String>,
    /// What is known of it; none: nobody registered it yet.
    place: Option<Place>,
    /// Code of its district.
    pub district: Option<String>,
    /// The district whose people may take it, unless it is the person's.
    pub pool: Option<String>,
    /// Whether it is the person's; else it waits in the pool.
    pub mine: bool,
    /// Where it comes from.
    pub origin: Origin,
    /// The visit is wanted from here on.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub from_at: At,
    /// It is due by then; later is late, not too late.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub due_at: At,
    /// What for.
    pub reason: String,
    /// Findings to be seen on the visit.
    pub findings: Vec<String>,
    /// What is known of earlier visits: `last_visit`, `open`, `counts`; and what rules read as `prev`: `open_findings`,
    /// `open_items`, `total_score`.
    #[schema(value_type = Object)]
    pub prev: Value,
}

/// What somebody's phone holds in these areas, and the person's own wherever they are, by id, after this one.
pub fn within(
    conn: &mut DbConn,
    actor: &Actor,
    areas: &[String],
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<AssignmentForPhone>> {
    let Some(sight) = sight(&Actor { areas: areas.to_vec(), ..actor.clone() })? else {
        return Ok(Vec::new());
    };
    let rows = store::phone_page(conn, &sight, after.unwrap_or_default(), limit)?;
    told(conn, actor, rows)
}

/// Of these assignments those that somebody's phone holds; it drops the others.
pub fn for_phone(conn: &mut DbConn, actor: &Actor, ids: &[String]) -> Result<Vec<AssignmentForPhone>> {
    let Some(sight) = sight(actor)? else { return Ok(Vec::new()) };
    let rows = store::phone_rows(conn, ids, &sight)?;
    told(conn, actor, rows)
}

fn sight(actor: &Actor) -> Result<Option<Sight>> {
    match actor.has(Permission::TakeAssignments) {
        true => Sight::of(actor).map(Some),
        false => Ok(None),
    }
}

fn told(conn: &mut DbConn, actor: &Actor, rows: Vec<Assignment>) -> Result<Vec<AssignmentForPhone>> {
    let places = places_of(conn, &rows)?;
    rows.into_iter()
        .map(|row| {
            let place = place_of(&places, &row).cloned();
            Ok(AssignmentForPhone {
                prev: history_of(conn, &row)?,
                facility: match &place {
                    Some(place) => Some(place.id.to_string()),
                    None => row.facility().map(str::to_owned),
                },
                place,
                mine: row.assignee.as_deref() == Some(actor.account.as_str()),
                findings: row.findings()?,
                id: row.id,
                version: row.version,
                form: row.form,
                kind: row.kind,
                district: row.district,
                pool: row.pool,
                origin: row.origin,
                from_at: row.from_at,
                due_at: row.due_at,
                reason: row.reason,
            })
        })
        .collect()
}

/// What is known of earlier visits of this kind to the place: the last one, and what findings say. Nothing about any child.
pub(super) fn history_of(conn: &mut DbConn, row: &Assignment) -> Result<Value> {
    let names = names_of(conn, &row.facility)?;
    let last = submissions::last_visit(conn, &names, row.kind)?;
    let accepted = submissions::last_accepted(conn, &names, row.kind)?;
    let mut history = findings::history_extract(conn, &row.facility, row.kind)?;
    history["last_visit"] = json!(last);
    // Rules rest on the last accepted visit; where there is none, what they read as `prev` is null.
    history["accepted_visit"] = json!(accepted);
    // What rules read as `prev.open_items` and `prev.total_score`, under the names they read it by.
    history["open_items"] = history["open_findings"].clone();
    if let Some(last) = accepted
        && let Some(judgement) = submissions::judged(conn, last.submission.as_str(), last.revision)?
        && let Some(score) = births::calculated(&judgement, "total_score")
    {
        history["total_score"] = score.clone();
    }
    Ok(history)
}
