//! What an evaluation may know besides the answers: the visit, who filled it in, earlier visits, the facility and places.
//!
//! There is no clock but the visit's: `today` is the local date of `finished_at` in the sender's own offset.

use chrono::{DateTime, FixedOffset, NaiveDate};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The circumstances one set of answers is judged in.
#[derive(Clone)]
pub struct Context<'a> {
    /// When and where the visit took place.
    pub visit: Visit,
    /// Codes of the places the visit lies in, widest first: province, division, district, tehsil.
    pub area_chain: Vec<String>,
    /// Who filled the form in.
    pub user: User,
    /// The last accepted submission of the same facility and form (nested or flat), if any.
    pub prev: Option<Value>,
    /// The facility visited, as the registry knows it, if any.
    pub facility: Option<Value>,
    /// Answers "does this point lie in that area?".
    pub areas: &'a dyn Areas,
}

impl<'a> Context<'a> {
    /// A context with nothing known but the visit, the user and the areas.
    pub fn new(visit: Visit, user: User, areas: &'a dyn Areas) -> Self {
        Context { visit, area_chain: Vec::new(), user, prev: None, facility: None, areas }
    }
}

/// When and where the visit took place.
#[derive(Clone, Debug)]
pub struct Visit {
    /// When the form was opened.
    pub started_at: Option<DateTime<FixedOffset>>,
    /// When the form was finished; its local date is `today` and picks parameters and choice items.
    pub finished_at: DateTime<FixedOffset>,
    /// The device's own fix.
    pub location: Option<Point>,
    /// Code of the district the visit lies in.
    pub district: Option<String>,
    /// The policing zone of that district on that day.
    pub zone: Option<String>,
}

impl Visit {
    /// A visit of which only the end is known.
    pub fn finished(finished_at: DateTime<FixedOffset>) -> Self {
        Visit { started_at: None, finished_at, location: None, district: None, zone: None }
    }

    /// The local date of the visit, in the sender's offset.
    pub fn date(&self) -> NaiveDate {
        self.finished_at.date_naive()
    }
}

/// Who filled the form in.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    /// The staff code.
    pub code: String,
    /// The role, such as `inspector`.
    pub role: String,
    /// Codes of the areas the account covers.
    pub areas: Vec<String>,
}

/// A point on the ground. Nothing is promised about its range: hostile answers carry any numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// Radius the device trusts, in metres.
    #[serde(default)]
    pub accuracy_m: Option<f64>,
    /// Height above the sea, in metres.
    #[serde(default)]
    pub altitude_m: Option<f64>,
}

impl Point {
    /// Whether the point can exist on the globe.
    pub fn is_on_earth(&self) -> bool {
        self.lat.abs() <= 90.0 && self.lon.abs() <= 180.0
    }
}

/// Tells whether a point lies in an area.
pub trait Areas {
    /// `None` when the area is not known or no boundaries are loaded: the rule sees "unknown".
    fn contains(&self, lat: f64, lon: f64, code: &str) -> Option<bool>;
}

/// No boundaries at all: every `in_area` is unknown.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAreas;

impl Areas for NoAreas {
    fn contains(&self, _lat: f64, _lon: f64, _code: &str) -> Option<bool> {
        None
    }
}
