//! The referral matrix as data (`form-definitions/parameters/referrals.json`): for each family of findings who receives
//! them and who hears of them next. It is checked when the server starts: a code nobody knows, or a receiver that must
//! never be one, is refused by name.

use std::collections::BTreeSet;

use form_engine::Texts;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// How a body hears of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ReachedBy {
    /// Case workers of a unit.
    Unit,
    /// District officers of Social Welfare.
    SupervisorSwd,
    /// District officers of Labour.
    SupervisorLabour,
    /// District officers of the line the finding belongs to.
    SupervisorOfLine,
    /// The Divisional Deputy Director.
    DeputyDirector,
    /// The head of the Labour Department.
    LabourHead,
    /// The administrator.
    Admin,
    /// By telephone and letter; the supervisor writes down what came of it.
    Outside,
}

/// Somebody who can receive a referral or hear of an escalation.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Body {
    /// Its code: `cpu`.
    pub(super) code: String,
    /// Its name, by language.
    pub(super) title: Texts,
    /// How it is reached.
    pub(super) reached_by: ReachedBy,
}

/// A code with what people read for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Named {
    pub(super) code: String,
    #[serde(rename = "title")]
    _title: Texts,
}

#[derive(Debug, Deserialize)]
struct Receiver {
    body: String,
    /// Only in these districts.
    r#where: Option<Vec<String>>,
}

/// How a family's deadlines count their days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Count {
    /// Every day.
    #[default]
    Days,
    /// Working days of the calendar.
    WorkingDays,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Family {
    family: String,
    #[serde(rename = "title")]
    _title: Texts,
    codes: Vec<String>,
    first: Vec<Receiver>,
    escalate_to: Vec<String>,
    #[serde(default)]
    count: Count,
}

#[derive(Debug, Deserialize)]
struct SameDay {
    answer_within_hours: i64,
    at_least_hours: i64,
    then_call: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct NoUnit {
    instead_of: String,
    goes_to: String,
}

/// The whole matrix.
#[derive(Debug, Deserialize)]
pub(super) struct Matrix {
    same_day: SameDay,
    no_unit: NoUnit,
    bodies: Vec<Body>,
    never: Vec<String>,
    outcomes: Vec<Named>,
    families: Vec<Family>,
}

impl Matrix {
    /// The matrix that comes with the binary.
    pub(super) fn builtin() -> Result<Matrix> {
        Matrix::read(include_str!("../../../form-definitions/parameters/referrals.json"))
    }

    fn read(text: &str) -> Result<Matrix> {
        let matrix: Matrix = serde_json::from_str(text).map_err(|cause| refused(&cause.to_string()))?;
        matrix.check()?;
        Ok(matrix)
    }

    fn check(&self) -> Result<()> {
        let mut seen = BTreeSet::new();
        for code in self.families.iter().flat_map(|family| &family.codes) {
            if !seen.insert(code) {
                return Err(refused(&format!("{code} stands in two families")));
            }
        }
        for (place, code) in self.named_bodies() {
            if self.never.contains(code) {
                return Err(refused(&format!("{place} names {code}, which never receives anything")));
            }
            if self.body(code).is_none() {
                return Err(refused(&format!("{place} names {code}, which is none of the bodies")));
            }
        }
        match self.same_day.answer_within_hours <= self.same_day.at_least_hours {
            true => Ok(()),
            false => Err(refused("same_day: at_least_hours is less than answer_within_hours")),
        }
    }

    fn named_bodies(&self) -> impl Iterator<Item = (&str, &String)> {
        let families = self.families.iter().flat_map(|family| {
            let first = family.first.iter().map(|receiver| &receiver.body);
            first.chain(&family.escalate_to).map(move |code| (family.family.as_str(), code))
        });
        let rest = self.same_day.then_call.iter().map(|code| ("same_day", code));
        families.chain(rest).chain([("no_unit", &self.no_unit.goes_to)])
    }

    /// A body by its code.
    pub(super) fn body(&self, code: &str) -> Option<&Body> {
        self.bodies.iter().find(|body| body.code == code)
    }

    /// The codes of all bodies, for people who named another.
    pub(super) fn body_codes(&self) -> Vec<&str> {
        self.bodies.iter().map(|body| body.code.as_str()).collect()
    }

    /// The codes of what can come of a referral.
    pub(super) fn outcomes(&self) -> Vec<&str> {
        self.outcomes.iter().map(|outcome| outcome.code.as_str()).collect()
    }

    /// Within how many hours somebody must answer when the deadline is the same day.
    pub(super) fn answer_within_hours(&self) -> i64 {
        self.same_day.answer_within_hours
    }

    /// How many hours the same day has at least, however late the visit ended.
    pub(super) fn same_day_hours(&self) -> i64 {
        self.same_day.at_least_hours
    }

    /// The body that stands in where the district has no unit of `body`.
    pub(super) fn without_unit(&self, body: &str) -> Option<&Body> {
        (self.no_unit.instead_of == body).then(|| self.body(&self.no_unit.goes_to)).flatten()
    }

    /// How days of this rule are counted.
    pub(super) fn count(&self, code: &str) -> Count {
        self.family(code).map(|family| family.count).unwrap_or_default()
    }

    /// Who receives findings of this rule in this district, first of all.
    pub(super) fn receivers(&self, code: &str, district: Option<&str>) -> Vec<&str> {
        let Some(family) = self.family(code) else { return Vec::new() };
        let here = |receiver: &&Receiver| match (&receiver.r#where, district) {
            (None, _) => true,
            (Some(places), Some(district)) => places.iter().any(|place| place == district),
            (Some(_), None) => false,
        };
        family.first.iter().filter(here).map(|receiver| receiver.body.as_str()).collect()
    }

    /// Who hears of a finding next: the column of the matrix, or what the rule says where the matrix is silent, or
    /// the supervisor. When the deadline is the same day, those who are called then as well.
    pub(super) fn next(&self, code: &str, rule_says: Option<&str>, is_same_day: bool) -> Vec<&Body> {
        let column = self.family(code).map(|family| family.escalate_to.as_slice()).unwrap_or_default();
        let mut codes: Vec<&str> = column.iter().map(String::as_str).collect();
        if codes.is_empty() {
            codes.push(rule_says.filter(|code| self.body(code).is_some()).unwrap_or("supervisor"));
        }
        let called = self.same_day.then_call.iter().map(String::as_str).filter(|_| is_same_day);
        for code in called {
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
        codes.into_iter().filter_map(|code| self.body(code)).collect()
    }

    fn family(&self, code: &str) -> Option<&Family> {
        self.families.iter().find(|family| family.codes.iter().any(|pattern| covers(pattern, code)))
    }
}

/// `REC-*` covers every code that begins with `REC-`.
fn covers(pattern: &str, code: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => code.starts_with(start),
        None => pattern == code,
    }
}

fn refused(why: &str) -> Error {
    Error::invalid("referral_matrix", format!("referrals.json: {why}; correct the file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(bodies: Vec<&Body>) -> Vec<&str> {
        bodies.into_iter().map(|body| body.code.as_str()).collect()
    }

    #[test]
    fn the_matrix_says_who_receives_and_who_is_next() {
        let matrix = Matrix::builtin().unwrap();

        assert_eq!(matrix.receivers("ABU-01", Some("PK226")), ["pcpc", "cpu", "health"]);
        assert_eq!(matrix.receivers("ABU-01", Some("PK234")), ["cpu", "health"]);
        assert_eq!(codes(matrix.next("AGE-01", None, false)), ["labour_head"]);
        assert_eq!(codes(matrix.next("AGE-02", None, true)), ["labour_head", "dd", "dc"]);
        assert_eq!(codes(matrix.next("REC-04", None, false)), ["supervisor"]);
        assert_eq!(codes(matrix.next("REP-01", Some("nobody"), false)), ["supervisor"]);
        assert_eq!(matrix.without_unit("cpu").unwrap().code, "do_swd");
    }

    #[test]
    fn a_matrix_with_a_mistake_is_refused_by_name() {
        let builtin = include_str!("../../../form-definitions/parameters/referrals.json");
        for (from, to, named) in [
            (r#""body": "fia""#, r#""body": "fbi""#, "fbi"),
            (r#""escalate_to": ["home"]"#, r#""escalate_to": ["jirga"]"#, "jirga"),
            (r#"["HAZ-04"]"#, r#"["AGE-01"]"#, "AGE-01"),
            (r#""answer_within_hours": 2"#, r#""answer_within_hours": 9"#, "same_day"),
        ] {
            assert!(builtin.contains(from), "{from}");
            let refused = Matrix::read(&builtin.replace(from, to)).unwrap_err();
            assert!(refused.detail.contains(named), "{}", refused.detail);
        }
    }
}
