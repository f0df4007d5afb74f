//! When a release is bad: a share that is beyond the settings, and clearly worse than with the release before.

use super::model::{Alarm, Rates};
use crate::config::RolloutConfig;
use crate::submissions::ReleaseTally;

/// What is beyond the settings. Few submissions say nothing.
pub(super) fn raised(
    tally: &ReleaseTally,
    before: Option<ReleaseTally>,
    settings: &RolloutConfig,
) -> Vec<Alarm> {
    if tally.filed + tally.quarantined < settings.least_filings {
        return Vec::new();
    }
    let (now, before) = (Rates::of(tally), before.as_ref().map(Rates::of));
    let share = |code, of: fn(&Rates) -> Option<f64>, limit: f64| {
        let (share, before) = (of(&now)?, before.as_ref().and_then(of));
        let is_worse = before.is_none_or(|before| share > before * settings.times_before);
        (share > limit && is_worse).then_some(Alarm { code, share, before, limit })
    };
    [
        share("invalid", |rates| rates.invalid_share, settings.invalid_share),
        share("sent_back", |rates| rates.sent_back_share, settings.sent_back_share),
        share("quarantined", |rates| rates.quarantined_share, settings.quarantined_share),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(filed: i64, invalid: i64) -> ReleaseTally {
        ReleaseTally { filed, invalid, ..ReleaseTally::default() }
    }

    fn codes(tally: &ReleaseTally, before: Option<ReleaseTally>) -> Vec<&'static str> {
        raised(tally, before, &RolloutConfig::default()).into_iter().map(|alarm| alarm.code).collect()
    }

    #[test]
    fn a_share_alarms_when_it_is_large_and_larger_than_before() {
        assert_eq!(codes(&tally(20, 10), Some(tally(100, 10))), ["invalid"]);
        assert_eq!(codes(&tally(20, 10), None), ["invalid"]);
        assert_eq!(codes(&tally(20, 10), Some(tally(100, 40))), [""; 0], "it was nearly as bad before");
        assert_eq!(codes(&tally(20, 2), Some(tally(100, 0))), [""; 0], "it is not bad");
        assert_eq!(codes(&tally(5, 5), None), [""; 0], "too few to say");
    }

    #[test]
    fn what_cannot_be_read_counts_among_what_came_in() {
        let bad = ReleaseTally { filed: 15, quarantined: 5, rejected: 9, ..ReleaseTally::default() };

        assert_eq!(codes(&bad, None), ["sent_back", "quarantined"]);
    }
}
