//! The rules of return visits as data (`form-definitions/parameters/follow-ups.json`): when a visit is due that follows
//! from something, and which visits rotate among people.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::accounts::Kind;
use crate::error::{Error, Result};
use crate::facilities::Risk;
use crate::findings::Severity;

#[derive(Deserialize)]
struct Pack {
    rotation: Vec<Rotating>,
    reinspection: Vec<Reinspection>,
    next_audit: NextAudit,
}

#[derive(Deserialize)]
struct Rotating {
    kind: Kind,
}

#[derive(Deserialize)]
struct Reinspection {
    severity: Severity,
    days: i64,
}

#[derive(Deserialize)]
struct NextAudit {
    opens_before_due_percent: i64,
    ratings: Vec<Rating>,
}

#[derive(Deserialize)]
struct Rating {
    rating: String,
    risk: Risk,
}

/// The rules, made sense of.
pub(super) struct Rules {
    rotating: Vec<Kind>,
    reinspection: BTreeMap<Severity, i64>,
    opens_before_due_percent: i64,
    ratings: BTreeMap<String, Risk>,
}

impl Rules {
    /// Those that come with the binary.
    pub(super) fn builtin() -> Result<Rules> {
        Rules::read(include_str!("../../../form-definitions/parameters/follow-ups.json"))
    }

    fn read(text: &str) -> Result<Rules> {
        let wrong = |why: String| Error::internal("reading parameters/follow-ups.json", why);
        let pack: Pack = serde_json::from_str(text).map_err(|cause| wrong(cause.to_string()))?;
        let reinspection: BTreeMap<Severity, i64> =
            pack.reinspection.iter().map(|row| (row.severity, row.days)).collect();
        if let Some(missing) = Severity::ALL.iter().find(|severity| !reinspection.contains_key(severity)) {
            return Err(wrong(format!("reinspection names no days for {missing}")));
        }
        if reinspection.values().any(|days| !(0..=3650).contains(days)) {
            return Err(wrong("reinspection.days goes from 0 to 3650".to_owned()));
        }
        if !(0..=100).contains(&pack.next_audit.opens_before_due_percent) {
            return Err(wrong("next_audit.opens_before_due_percent goes from 0 to 100".to_owned()));
        }
        Ok(Rules {
            rotating: pack.rotation.into_iter().map(|row| row.kind).collect(),
            reinspection,
            opens_before_due_percent: pack.next_audit.opens_before_due_percent,
            ratings: pack.next_audit.ratings.into_iter().map(|row| (row.rating, row.risk)).collect(),
        })
    }

    /// Whether the same person may not make two visits of this kind to a place running.
    pub(super) fn rotates(&self, kind: Kind) -> bool {
        self.rotating.contains(&kind)
    }

    /// Within how many days somebody must see that a finding was put right.
    pub(super) fn reinspection_days(&self, severity: Severity) -> i64 {
        self.reinspection.get(&severity).copied().unwrap_or(30)
    }

    /// How closely a home of this rating is watched; none: it is no rating.
    pub(super) fn risk(&self, rating: &str) -> Option<Risk> {
        self.ratings.get(rating).copied()
    }

    /// How many days before it is due the next audit may be made, of an interval of so many days.
    pub(super) fn opens_before(&self, days: i64) -> i64 {
        days * self.opens_before_due_percent / 100
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_that_come_with_the_binary_make_sense() {
        let rules = Rules::builtin().unwrap();

        assert!(rules.rotates(Kind::Audit) && !rules.rotates(Kind::Inspection));
        assert!(rules.reinspection_days(Severity::Stop) < rules.reinspection_days(Severity::Minor));
        assert_eq!(rules.risk("red"), Some(Risk::High));
        assert_eq!(rules.risk("blue"), None);
        assert_eq!(rules.opens_before(180), 45);
    }

    #[test]
    fn a_severity_that_is_forgotten_is_named() {
        let text = r#"{ "rotation": [], "reinspection": [{ "severity": "info", "days": 1 }],
            "next_audit": { "opens_before_due_percent": 25, "ratings": [] } }"#;

        let error = Rules::read(text).err().unwrap();

        assert!(format!("{error:?}").contains("no days for minor"), "{error:?}");
    }
}
