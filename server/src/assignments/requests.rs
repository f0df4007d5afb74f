//! What people send about assignments, checked once at the edge.

use chrono::{DateTime, NaiveDate};
use serde::Deserialize;

use super::days;
use crate::db::At;
use crate::error::{Error, Result};
use crate::places;

/// How many findings one visit may be about.
const MOST_FINDINGS: usize = 100;

/// `POST /v1/assignments`
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "form": "child-labour-inspection", "facility": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f11", "pool": "PK226",
    "window": { "from": "2026-11-23", "due": "2026-11-30" }, "reason": "The munshi was changed; see the register again.",
    "findings": ["0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f12"]
}))]
pub(super) struct NewAssignment {
    /// The form to fill.
    pub(super) form: String,
    /// The facility to visit. Interviews with the toolkit name a `district` instead.
    #[serde(default)]
    pub(super) facility: Option<uuid::Uuid>,
    /// The district whose services an interview asks about.
    #[serde(default)]
    pub(super) district: Option<String>,
    /// Whose it is to be.
    #[serde(default)]
    pub(super) assignee: Option<uuid::Uuid>,
    /// The district whose people may take it. Neither told: the district the facility lies in, or that is asked about.
    #[serde(default)]
    pub(super) pool: Option<String>,
    /// When.
    pub(super) window: Window,
    /// What for.
    pub(super) reason: String,
    /// Findings at the facility to be seen on the visit.
    #[serde(default)]
    pub(super) findings: Vec<uuid::Uuid>,
}

/// The days of a visit.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VisitWindow, example = json!({ "from": "2026-11-23", "due": "2026-11-30" }))]
pub(super) struct Window {
    /// From this day or instant on; not told: from now on.
    #[serde(default)]
    pub(super) from: Option<String>,
    /// By the end of this day, or by this instant.
    pub(super) due: String,
}

/// `POST /v1/assignments/{id}/assign`
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HandOver, example = json!({ "assignee": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f14", "reason": "She knows the road." }))]
pub(super) struct NewAssignee {
    /// Whose it is to be.
    #[serde(default)]
    pub(super) assignee: Option<uuid::Uuid>,
    /// Or: the district whose people may take it.
    #[serde(default)]
    pub(super) pool: Option<String>,
    /// Why, if it needs saying.
    #[serde(default)]
    pub(super) reason: Option<String>,
}

/// `POST /v1/assignments/{id}/cancel`
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCancellation, example = json!({ "reason": "The kiln was pulled down." }))]
pub(super) struct NewCancellation {
    /// Why the visit is no longer wanted.
    pub(super) reason: String,
}

impl Window {
    /// The window's two ends.
    pub(super) fn read(&self, now: At) -> Result<(At, At)> {
        let from = self.from.as_deref().map(|text| instant(text, days::start_of)).transpose()?;
        let (from, due) = (from.unwrap_or(now), instant(&self.due, days::end_of)?);
        match from < due {
            true => Ok((from, due)),
            false => Err(Error::invalid("bad_window", "`window.due` must come after `window.from`")),
        }
    }
}

fn instant(text: &str, of_day: fn(NaiveDate) -> At) -> Result<At> {
    let day = || text.parse::<NaiveDate>().ok().filter(|day| (1970..9999).contains(&year(*day))).map(of_day);
    DateTime::parse_from_rfc3339(text).map(At::from).ok().or_else(day).ok_or_else(|| {
        Error::invalid(
            "bad_instant",
            format!("{text:?} is neither a date (2026-11-20) nor an instant (RFC 3339)"),
        )
    })
}

fn year(day: NaiveDate) -> i32 {
    use chrono::Datelike as _;
    day.year()
}

/// A pool somebody names: a district there is.
pub(super) fn pool(code: &str) -> Result<String> {
    match places::district(code) {
        Some(_) => Ok(code.to_owned()),
        None => Err(Error::invalid(
            "pool_unknown",
            format!("{code:?} is no district's code; a pool is a district: PK226"),
        )),
    }
}

/// Whose it is to be, or whose pool it waits in: one of the two.
pub(super) fn one_of(assignee: Option<uuid::Uuid>, pool: Option<&String>) -> Result<()> {
    match assignee.is_some() && pool.is_some() {
        false => Ok(()),
        true => Err(Error::invalid("assignee_and_pool", "name an `assignee` or a `pool`, not both")),
    }
}

/// Where a visit goes.
#[derive(Clone, Debug)]
pub(super) enum Destination {
    /// To a facility.
    Facility(uuid::Uuid),
    /// To those who run a district's services.
    District(String),
}

impl NewAssignment {
    /// The facility or the district named: one of the two.
    pub(super) fn destination(&self) -> Result<Destination> {
        match (self.facility, &self.district) {
            (Some(facility), None) => Ok(Destination::Facility(facility)),
            (None, Some(district)) if places::district(district).is_some() => {
                Ok(Destination::District(district.clone()))
            }
            (None, Some(district)) => Err(Error::invalid(
                "district_unknown",
                format!("{district:?} is no district's code, such as PK226"),
            )),
            _ => Err(Error::invalid(
                "facility_or_district",
                "name the `facility` to visit, or, for an interview, the `district` it asks about",
            )),
        }
    }
}

/// The findings named, each once.
pub(super) fn findings(ids: &[uuid::Uuid]) -> Result<Vec<uuid::Uuid>> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    match ids.len() <= MOST_FINDINGS {
        true => Ok(ids),
        false => {
            Err(Error::invalid("too_many_findings", format!("name at most {MOST_FINDINGS} findings a visit")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_takes_days_and_instants() {
        let now = days::start_of("2026-11-20".parse().unwrap());
        let window =
            |from: Option<&str>, due: &str| Window { from: from.map(str::to_owned), due: due.into() };

        let (from, due) = window(Some("2026-11-23"), "2026-11-23").read(now).unwrap();
        assert_eq!(
            (from.to_string(), due.to_string()),
            ("2026-11-22T19:00:00Z".into(), "2026-11-23T18:59:59Z".into())
        );
        assert_eq!(window(None, "2026-12-01T10:00:00+05:00").read(now).unwrap().0, now);
        for (bad, code) in [
            (window(Some("2026-11-24"), "2026-11-23"), "bad_window"),
            (window(None, "2020-01-01"), "bad_window"),
            (window(None, "soon"), "bad_instant"),
            (window(Some("+262142-01-01"), "2026-11-23"), "bad_instant"),
        ] {
            assert_eq!(bad.read(now).unwrap_err().code, code);
        }
    }
}
