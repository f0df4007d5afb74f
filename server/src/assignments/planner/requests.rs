//! What the planner is asked for, checked once at the edge.

use chrono::{Datelike as _, NaiveDate};
use serde::Deserialize;

use crate::accounts::{Actor, Kind, Line};
use crate::assignments::model::line_of;
use crate::assignments::reading;
use crate::db::storable;
use crate::error::{Error, Result};
use crate::places;

/// The largest plan.
const MOST: usize = 200;
/// The longest seed.
const LONGEST_SEED: usize = 100;

/// `GET /v1/planner?…`
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// The district: `PK226`.
    district: String,
    /// The day: `2026-11-23`.
    date: String,
    /// How many visits can be made: 1 to 200.
    capacity: usize,
    /// Another seed draws other lots. It is shown with the plan.
    seed: Option<String>,
    /// `inspection` or `audit`; unless told, what your line does.
    kind: Option<Kind>,
}

/// `POST /v1/planner/assignments`
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlanToAssign, example = json!({ "district": "PK226", "date": "2026-11-23", "capacity": 8, "seed": "" }))]
pub(super) struct NewPlan {
    /// The district.
    district: String,
    /// The day.
    #[schema(value_type = chrono::NaiveDate)]
    date: String,
    /// How many visits can be made.
    capacity: usize,
    /// The seed of the plan that was looked at.
    #[serde(default)]
    seed: Option<String>,
    /// `inspection` or `audit`; unless told, what your line does.
    #[serde(default)]
    kind: Option<Kind>,
    /// Only these of the plan's places; not told: all.
    #[serde(default)]
    pub(super) facilities: Option<Vec<uuid::Uuid>>,
}

impl NewPlan {
    /// The plan that is meant.
    pub(super) fn query(&self) -> Query {
        Query {
            district: self.district.clone(),
            date: self.date.clone(),
            capacity: self.capacity,
            seed: self.seed.clone(),
            kind: self.kind,
        }
    }
}

/// A query made sense of.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) district: String,
    pub(super) date: NaiveDate,
    pub(super) capacity: usize,
    pub(super) seed: String,
    pub(super) kind: Kind,
    pub(super) line: Line,
}

impl Query {
    /// What is asked for, if the person may plan it.
    pub(super) fn read(self, actor: &Actor) -> Result<Asked> {
        if !actor.areas.iter().any(|area| places::with_districts(area).contains(&self.district)) {
            return Err(Error::not_found(
                "district_unknown",
                format!("there is no district {:?} in your areas", self.district),
            ));
        }
        let date = self.date.parse::<NaiveDate>().ok().filter(|day| (1970..9999).contains(&day.year()));
        let date = date.ok_or_else(|| {
            Error::invalid("bad_date", format!("{:?} is no date; write 2026-11-23", self.date))
        })?;
        if !(1..=MOST).contains(&self.capacity) {
            return Err(Error::invalid("bad_capacity", format!("`capacity` goes from 1 to {MOST} visits")));
        }
        let seed = storable(self.seed.unwrap_or_default());
        if seed.chars().count() > LONGEST_SEED {
            return Err(Error::invalid(
                "seed_too_long",
                format!("`seed` may have {LONGEST_SEED} characters"),
            ));
        }
        let (kind, line) = kind_of(self.kind, actor)?;
        Ok(Asked { district: self.district, date, capacity: self.capacity, seed, kind, line })
    }
}

fn kind_of(asked: Option<Kind>, actor: &Actor) -> Result<(Kind, Line)> {
    let line = reading::line(actor)?;
    let ours = match line {
        Line::Labour => Kind::Inspection,
        Line::Swd => Kind::Audit,
    };
    match asked.unwrap_or(ours) {
        // A district's services are asked about, not visited.
        kind if line_of(kind) == line && kind != Kind::Toolkit => Ok((kind, line)),
        kind => Err(Error::invalid(
            "kind_unfit",
            format!("your line makes {ours}s; {kind} is nothing that it plans"),
        )),
    }
}
