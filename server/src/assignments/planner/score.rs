//! Scoring: what speaks for visiting a place, counted and weighed. The score is the sum of the points and nothing else.

use chrono::NaiveDate;
use serde::Serialize;

use super::weights::{Term, Weight, Weights};
use crate::assignments::days;
use crate::facilities::Facility;
use crate::findings::{RiskTerms, Severity};

/// One term of a score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(super) struct ScoredTerm {
    /// What was counted.
    pub(super) term: Term,
    /// How many.
    pub(super) count: i64,
    /// The points for them.
    pub(super) points: i64,
}

/// The terms of a place that count for anything, in the order of the weights.
pub(super) fn terms(
    weights: &Weights,
    place: &Facility,
    risk: &RiskTerms,
    date: NaiveDate,
) -> Vec<ScoredTerm> {
    let scored = |weight: &Weight| {
        let count = count(weight, place, risk, date);
        ScoredTerm { term: weight.term, count, points: weight.points_for(count) }
    };
    weights.terms.iter().map(scored).filter(|term| term.count > 0).collect()
}

/// The score: the sum of the points.
pub(super) fn sum(terms: &[ScoredTerm]) -> i64 {
    terms.iter().map(|term| term.points).sum()
}

fn count(weight: &Weight, place: &Facility, risk: &RiskTerms, date: NaiveDate) -> i64 {
    let open = |severity| i64::from(risk.open.get(&severity).copied().unwrap_or(0));
    let of_rules =
        || weight.codes.iter().filter_map(|code| risk.codes.get(code)).copied().map(i64::from).sum();
    match weight.term {
        Term::OpenInfo => open(Severity::Info),
        Term::OpenMinor => open(Severity::Minor),
        Term::OpenMajor => open(Severity::Major),
        Term::OpenCritical => open(Severity::Critical),
        Term::OpenEmergency => open(Severity::Emergency),
        Term::OpenStop => open(Severity::Stop),
        Term::Recurrence => i64::from(risk.recurrence),
        Term::Overdue => i64::from(risk.overdue),
        Term::MonthsSinceVisit => {
            let last = place.last_visited_at.map(days::day_of);
            last.map_or(0, |last| ((date - last).num_days() / 30).max(0))
        }
        Term::NeverVisited => i64::from(place.last_visited_at.is_none()),
        Term::Evasion | Term::CapacityBreach => of_rules(),
    }
}
