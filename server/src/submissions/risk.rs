//! How urgently a reviewer is needed: the worst finding first, then the number of flags, then of violations. It is kept in
//! the head as one number, negated, so that the queue is an index read upwards: the gravest first, the oldest of the
//! equally grave before the others.

use form_engine::{Level, Severity};
use serde::Serialize;

use super::model::{Flag, Judgement};

const BY_SEVERITY: i32 = 100_000;
const BY_FLAG: i32 = 1_000;

/// What makes a submission urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = Urgency)]
pub(super) struct Risk {
    /// The gravest finding; none: nothing was found.
    #[schema(value_type = Option<String>, example = "critical")]
    pub(super) worst: Option<Severity>,
    /// How many flags it has, up to 99.
    pub(super) flags: i32,
    /// How many of its violations are errors or warnings, up to 999.
    pub(super) violations: i32,
}

const SEVERITIES: [Severity; 6] = [
    Severity::Info,
    Severity::Minor,
    Severity::Major,
    Severity::Critical,
    Severity::Emergency,
    Severity::Stop,
];

impl Risk {
    /// Of what was said of a revision when it was filed.
    pub(super) fn of(judgement: &Judgement) -> Risk {
        Risk::with(judgement, &[])
    }

    /// The same with flags that were raised later, once its photos were looked at.
    pub(super) fn with(judgement: &Judgement, later: &[Flag]) -> Risk {
        let weighs = |level: Level| matches!(level, Level::Error | Level::Warning);
        let violations = judgement.violations.iter().filter(|violation| weighs(violation.level)).count();
        Risk {
            worst: judgement.findings.iter().map(|finding| finding.severity).max(),
            flags: (judgement.flags.len() + later.len()).min(99) as i32,
            violations: violations.min(999) as i32,
        }
    }

    /// Its place in the queue: 0 for the clean, below it for everything else.
    pub(super) fn rank(self) -> i32 {
        let severity = self.worst.and_then(|worst| SEVERITIES.iter().position(|it| *it == worst));
        let severity = severity.map_or(0, |place| place as i32 + 1);
        -(severity * BY_SEVERITY + self.flags * BY_FLAG + self.violations)
    }

    /// What a place in the queue stands for.
    pub(super) fn of_rank(rank: i32) -> Risk {
        let weight = rank.min(0).unsigned_abs() as i32;
        let severity = usize::try_from(weight / BY_SEVERITY - 1).ok();
        Risk {
            worst: severity.and_then(|place| SEVERITIES.get(place).copied()),
            flags: weight % BY_SEVERITY / BY_FLAG,
            violations: weight % BY_FLAG,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn risk(worst: Option<Severity>, flags: i32, violations: i32) -> Risk {
        Risk { worst, flags, violations }
    }

    #[test]
    fn the_gravest_come_first_then_the_most_flagged() {
        let in_order = [
            risk(Some(Severity::Stop), 0, 0),
            risk(Some(Severity::Critical), 3, 0),
            risk(Some(Severity::Critical), 2, 999),
            risk(Some(Severity::Info), 99, 999),
            risk(None, 99, 999),
            risk(None, 0, 1),
            risk(None, 0, 0),
        ];

        assert!(in_order.map(Risk::rank).is_sorted());
        assert_eq!(in_order[6].rank(), 0);
    }

    #[test]
    fn a_place_says_what_it_stands_for() {
        for worst in SEVERITIES.map(Some).into_iter().chain([None]) {
            for (flags, violations) in [(0, 0), (99, 999), (7, 0)] {
                let risk = risk(worst, flags, violations);
                assert_eq!(Risk::of_rank(risk.rank()), risk);
            }
        }
    }
}
