//! What the register is asked for: the query as it stands in the address, and the filter made of it.

use serde::Deserialize;

use crate::accounts::Line;
use crate::error::{Error, Result};
use crate::facilities::grid::Box as Area;
use crate::facilities::kinds::FacilityKind;
use crate::facilities::model::Status;
use crate::facilities::sight::Sight;
use crate::http::Cursor;
use crate::places::Coordinates;

/// The farthest `near` looks, and how far it looks unless told.
const FARTHEST_M: f64 = 50_000.0;
const NEAR_M: f64 = 2_000.0;

/// `GET /v1/facilities?…`
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Query {
    /// A name or its beginning, in either script, spelt more or less so: the best first.
    #[param(example = "karim")]
    q: Option<String>,
    /// A code or its beginning: `PK226-K-00`.
    code: Option<String>,
    /// Near `lat,lon`, in degrees, latitude first: the nearest first.
    #[param(example = "30.1921,67.0075")]
    near: Option<String>,
    /// How far `near` looks, in metres: 2000 unless told, 50000 at most.
    radius_m: Option<f64>,
    /// Within `west,south,east,north`, in degrees.
    bbox: Option<String>,
    /// In this district: `PK226`.
    district: Option<String>,
    /// Of this kind: `brick_kiln`.
    kind: Option<String>,
    /// Of this line of work.
    line: Option<Line>,
    /// Standing so; without it, everything that is not merged.
    status: Option<Status>,
    /// `next` of the page before.
    after: Option<String>,
    /// Items on a page: 1 to 500, 50 unless told.
    limit: Option<u16>,
}

/// What is let through.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    pub(super) sight: Sight,
    pub(super) status: Option<Status>,
    pub(super) kinds: Option<Vec<String>>,
    pub(super) line: Option<Line>,
    pub(super) district: Option<String>,
    pub(super) code: Option<String>,
    pub(super) within: Option<Area>,
}

impl Filter {
    /// Everything the reader may see that is not merged.
    pub(super) fn all(sight: Sight) -> Filter {
        Filter { sight, status: None, kinds: None, line: None, district: None, code: None, within: None }
    }
}

/// A point and how far around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Near {
    pub(super) lat: f64,
    pub(super) lon: f64,
    pub(super) radius_m: f64,
}

/// A query made sense of.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) filter: Filter,
    pub(super) name: Option<String>,
    pub(super) near: Option<Near>,
    pub(super) cursor: Cursor,
}

impl Query {
    pub(super) fn read(self, sight: Sight) -> Result<Asked> {
        let near = self.near.as_deref().map(|text| near(text, self.radius_m)).transpose()?;
        let kind = self.kind.as_deref().map(FacilityKind::parse).transpose()?;
        let filter = Filter {
            sight,
            status: self.status,
            kinds: kind.map(|kind| vec![kind.to_string()]),
            line: self.line,
            district: self.district,
            code: self.code.map(|code| code.trim().to_uppercase()).filter(|code| !code.is_empty()),
            within: self.bbox.as_deref().map(Area::parse).transpose()?,
        };
        let name = self.q.filter(|name| !name.trim().is_empty());
        if name.as_ref().is_some_and(|name| name.chars().count() > 200) {
            return Err(Error::invalid("bad_name", "`q` is a name of at most 200 letters"));
        }
        Ok(Asked { filter, name, near, cursor: Cursor { after: self.after, limit: self.limit } })
    }
}

fn near(text: &str, radius_m: Option<f64>) -> Result<Near> {
    let numbers = text
        .split_once(',')
        .and_then(|(lat, lon)| Some((lat.trim().parse().ok()?, lon.trim().parse().ok()?)));
    let (lat, lon) = numbers.ok_or_else(|| {
        Error::invalid("bad_near", "near is lat,lon in degrees, latitude first: 30.1921,67.0075")
    })?;
    let at = Coordinates::new(lat, lon)?;
    let radius_m = radius_m.unwrap_or(NEAR_M);
    if !(radius_m > 0.0 && radius_m <= FARTHEST_M) {
        return Err(Error::invalid(
            "bad_radius",
            format!("radius_m is more than 0 and at most {FARTHEST_M} metres"),
        ));
    }
    Ok(Near { lat: at.lat(), lon: at.lon(), radius_m })
}
