//! Plans as those who plan see them.

use std::sync::Arc;

use chrono::NaiveDate;
use serde::Serialize;

use super::clusters::Chosen;
use super::score::ScoredTerm;
use super::weights::Weights;
use crate::accounts::Kind;
use crate::assignments::model::{AssignmentId, State};
use crate::db::At;
use crate::facilities::FacilityId;

/// A plan of visits.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = VisitPlan, example = json!({
    "district": "PK226", "date": "2026-11-23", "kind": "inspection", "capacity": 2, "seed": "", "considered": 412,
    "assigned_already": 9, "drawn_by_lot": 1, "window": { "from_at": "2026-11-22T19:00:00Z", "due_at": "2026-11-30T18:59:59Z" },
    "clusters": [{ "distance_m": 0, "stops": [{
        "facility": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f11", "code": "PK226-K-0042", "kind": "brick_kiln", "name_en": "Demo Kiln One",
        "name_ur": null, "lat": 30.1921, "lon": 67.0075, "chosen_by": "risk", "score": 55, "last_visited_at": null,
        "terms": [{ "term": "open_critical", "count": 1, "points": 25 }, { "term": "never_visited", "count": 1, "points": 30 }],
        "distance_m": null }] }],
    "weights": { "terms": [{ "term": "never_visited", "points": 30, "most": 30, "reason": "Known and never seen." }],
        "random_share_percent": 20, "random_reason": "…", "cluster_radius_km": 15, "cluster_reason": "…",
        "cluster_least_percent": 40, "cluster_least_reason": "…", "cluster_most": 6, "cluster_most_reason": "…",
        "window_days": 7, "window_reason": "…" }
}))]
pub(super) struct Plan {
    pub(super) district: String,
    #[schema(value_type = chrono::NaiveDate)]
    pub(super) date: NaiveDate,
    pub(super) kind: Kind,
    /// How many visits can be made.
    pub(super) capacity: usize,
    /// The same seed on the same facts gives the same plan.
    pub(super) seed: String,
    /// How many places were to choose from.
    pub(super) considered: usize,
    /// How many others are left out, since somebody is to visit them already.
    pub(super) assigned_already: usize,
    /// How many were drawn by lot.
    pub(super) drawn_by_lot: usize,
    /// When visits of this plan may be made.
    pub(super) window: PlanWindow,
    /// What to visit together, the gravest first.
    pub(super) clusters: Vec<Cluster>,
    /// All that the plan depends on besides the facts.
    #[schema(value_type = Weights)]
    pub(super) weights: Arc<Weights>,
}

/// The days of a plan's visits.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PlanWindow {
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub(super) from_at: At,
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub(super) due_at: At,
}

/// Places to visit together.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = PlanCluster)]
pub(super) struct Cluster {
    /// The way from the first to the last, in metres as the crow flies.
    pub(super) distance_m: i64,
    /// In the order of the way.
    pub(super) stops: Vec<PlannedVisit>,
}

/// A place to visit.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PlannedVisit {
    pub(super) facility: FacilityId,
    pub(super) code: String,
    pub(super) kind: String,
    pub(super) name_en: Option<String>,
    pub(super) name_ur: Option<String>,
    pub(super) lat: Option<f64>,
    pub(super) lon: Option<f64>,
    /// Why it is in the plan.
    pub(super) chosen_by: Chosen,
    /// The sum of the terms' points.
    pub(super) score: i64,
    pub(super) terms: Vec<ScoredTerm>,
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    pub(super) last_visited_at: Option<At>,
    /// From the stop before, in metres as the crow flies.
    pub(super) distance_m: Option<i64>,
}

/// What became of a plan's places.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({ "items": [{
    "facility": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f11", "assignment": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "made": true, "state": "open" }] }))]
pub(super) struct PlanAssigned {
    pub(super) items: Vec<PlannedAssignment>,
}

/// The assignment of one place of a plan.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PlannedAssignment {
    pub(super) facility: FacilityId,
    pub(super) assignment: AssignmentId,
    /// False: it was made before, for the same day.
    pub(super) made: bool,
    /// Where it stands.
    pub(super) state: State,
}
