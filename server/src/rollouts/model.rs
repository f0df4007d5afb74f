//! Nouns of the room: what came in with a release, as shares.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::db::At;
use crate::forms::Staged;
use crate::submissions::{ReleaseTally, SMALL_CELL};

/// How the releases of a form do.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Rollout {
    /// The form's code.
    pub(super) form: String,
    /// What first came in from this instant on is counted.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub(super) since: At,
    /// All releases, newest first.
    pub(super) releases: Vec<Watched>,
}

/// A release, to whom it is given, and what came in with it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = WatchedRelease)]
pub(super) struct Watched {
    /// The release and what was decided about it.
    #[serde(flatten)]
    pub(super) release: Staged,
    /// What came in with it, everywhere.
    pub(super) total: Rates,
    /// By district, where five or more came in.
    pub(super) districts: BTreeMap<String, Rates>,
    /// From everywhere else together.
    pub(super) elsewhere: Rates,
    /// What is beyond the settings.
    pub(super) alarms: Vec<Alarm>,
}

/// Counts of submissions, and shares of them.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ReleaseRates)]
pub(super) struct Rates {
    /// Submissions.
    pub(super) filed: i64,
    /// Those whose answers break a rule.
    pub(super) invalid: i64,
    /// Those with warnings only.
    pub(super) warned: i64,
    /// Those a reviewer sent back, as they stand now.
    pub(super) returned: i64,
    /// Those a reviewer turned down.
    pub(super) rejected: i64,
    /// Envelopes that could not be evaluated; they belong to no district.
    pub(super) quarantined: i64,
    /// `invalid` of `filed`.
    pub(super) invalid_share: Option<f64>,
    /// `returned` and `rejected` of `filed`.
    pub(super) sent_back_share: Option<f64>,
    /// `quarantined` of all that came in.
    pub(super) quarantined_share: Option<f64>,
}

/// A share that is beyond the settings.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = ReleaseAlarm)]
pub(super) struct Alarm {
    /// `invalid`, `sent_back` or `quarantined`.
    pub(super) code: &'static str,
    /// The share.
    pub(super) share: f64,
    /// The same share of the release before.
    pub(super) before: Option<f64>,
    /// What it may be by the settings.
    pub(super) limit: f64,
}

impl Watched {
    pub(super) fn of(
        release: Staged,
        total: ReleaseTally,
        by_district: BTreeMap<Option<String>, ReleaseTally>,
        alarms: Vec<Alarm>,
    ) -> Watched {
        let mut districts = BTreeMap::new();
        let mut elsewhere = ReleaseTally::default();
        for (district, tally) in by_district {
            match district.filter(|_| tally.filed.unsigned_abs() >= SMALL_CELL) {
                Some(district) => {
                    districts.insert(district, Rates::of(&tally));
                }
                None => elsewhere = elsewhere.and(tally),
            }
        }
        Watched { release, total: Rates::of(&total), districts, elsewhere: Rates::of(&elsewhere), alarms }
    }
}
