//! The planner's weights as data (`form-definitions/parameters/planner.json`), each with its reason. They are shown with
//! every plan.

use serde::{Deserialize, Serialize};

use crate::db::text_enum;
use crate::error::{Error, Result};

text_enum! {
    /// What a place can score for.
    #[schema(as = PlannerTerm)]
    Term {
        /// Open findings for information.
        OpenInfo = "open_info",
        /// Open minor findings.
        OpenMinor = "open_minor",
        /// Open major findings.
        OpenMajor = "open_major",
        /// Open critical findings.
        OpenCritical = "open_critical",
        /// Open findings of dangers that cannot wait.
        OpenEmergency = "open_emergency",
        /// Open findings for which work or care must stop.
        OpenStop = "open_stop",
        /// Times that open findings had been put right before.
        Recurrence = "recurrence",
        /// Open findings whose deadline has passed.
        Overdue = "overdue",
        /// Whole months of 30 days since the last visit.
        MonthsSinceVisit = "months_since_visit",
        /// Nobody was ever there.
        NeverVisited = "never_visited",
        /// Open findings of evasion.
        Evasion = "evasion",
        /// Open findings of too many people.
        CapacityBreach = "capacity_breach",
    }
}

/// What one term counts for.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = PlannerWeight)]
pub(super) struct Weight {
    /// The term.
    pub(super) term: Term,
    /// Points for each that is counted.
    pub(super) points: i64,
    /// No more points than this, however many are counted.
    pub(super) most: i64,
    /// The rules whose findings it counts, where it counts findings of certain rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) codes: Vec<String>,
    /// Why.
    reason: String,
}

impl Weight {
    /// The points for so many.
    pub(super) fn points_for(&self, count: i64) -> i64 {
        count.saturating_mul(self.points).min(self.most)
    }
}

/// All that a plan depends on besides the facts.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = PlannerWeights)]
pub(in crate::assignments) struct Weights {
    pub(super) terms: Vec<Weight>,
    /// How much of a plan is drawn by lot.
    pub(super) random_share_percent: usize,
    random_reason: String,
    /// What lies within so many kilometres is visited together.
    pub(super) cluster_radius_km: f64,
    cluster_reason: String,
    /// What is taken along has at least this share of the score of the place it is joined to.
    pub(super) cluster_least_percent: i64,
    cluster_least_reason: String,
    /// How many places are joined by risk.
    pub(super) cluster_most: usize,
    cluster_most_reason: String,
    /// A planned visit may be made until so many days after the planned one.
    pub(super) window_days: i64,
    window_reason: String,
}

impl Weights {
    /// Those that come with the binary.
    pub(in crate::assignments) fn builtin() -> Result<Weights> {
        Weights::read(include_str!("../../../../form-definitions/parameters/planner.json"))
    }

    fn read(text: &str) -> Result<Weights> {
        let wrong = |why: String| Error::internal("reading parameters/planner.json", why);
        let weights: Weights = serde_json::from_str(text).map_err(|cause| wrong(cause.to_string()))?;
        for term in Term::ALL {
            let found: Vec<&Weight> = weights.terms.iter().filter(|weight| weight.term == *term).collect();
            match found.as_slice() {
                [one] if one.points >= 0 && one.most >= 0 => {}
                [_] => return Err(wrong(format!("{term}: points and most are not below 0"))),
                others => return Err(wrong(format!("{term} stands {} times, not once", others.len()))),
            }
        }
        match weights.random_share_percent {
            1..=100 => {}
            share => {
                return Err(wrong(format!("random_share_percent is {share}: a part of every plan is drawn")));
            }
        }
        if !(0.0..=1000.0).contains(&weights.cluster_radius_km) {
            return Err(wrong("cluster_radius_km goes from 0 to 1000".to_owned()));
        }
        if weights.cluster_most == 0 || !(0..=365).contains(&weights.window_days) {
            return Err(wrong("cluster_most is at least 1, window_days goes from 0 to 365".to_owned()));
        }
        Ok(weights)
    }

    /// How many of a plan of `capacity` visits are drawn by lot: the share, rounded up. A single visit goes by risk.
    pub(super) fn drawn(&self, capacity: usize) -> usize {
        match capacity {
            0 | 1 => 0,
            more => (more * self.random_share_percent).div_ceil(100),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_that_come_with_the_binary_make_sense() {
        let weights = Weights::builtin().unwrap();

        assert_eq!(weights.terms.len(), Term::ALL.len());
        assert_eq!((weights.drawn(10), weights.drawn(2), weights.drawn(1), weights.drawn(0)), (2, 1, 0, 0));
    }

    #[test]
    fn a_plan_without_a_lot_and_a_forgotten_term_are_refused() {
        let text = include_str!("../../../../form-definitions/parameters/planner.json");

        for (from, to, said) in [
            ("\"random_share_percent\": 20", "\"random_share_percent\": 0", "drawn"),
            ("\"term\": \"overdue\"", "\"term\": \"recurrence\"", "recurrence stands 2 times"),
        ] {
            let error = Weights::read(&text.replace(from, to)).unwrap_err();
            assert!(format!("{error:?}").contains(said), "{error:?}");
        }
    }
}
