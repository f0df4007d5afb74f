//! Whether the visit took place where the facility it names is registered. A wrong visit and a wrong register look the
//! same from here: the distance is told, and somebody looks.

use serde_json::json;

use super::Position;
use super::late::Late;
use super::travel::Whereabouts;
use super::words::flag;
use crate::db::DbConn;
use crate::error::Result;
use crate::facilities::{self, Facility, FacilityId};
use crate::submissions::model::Head;

/// The flag, if the fix lies farther from the facility than both may be inaccurate and the limit allows.
pub(super) fn check(
    conn: &mut DbConn,
    head: &Head,
    about: &Whereabouts,
    filer_areas: &[String],
) -> Result<Option<Late>> {
    let Some(fix) = about.position() else { return Ok(None) };
    let Some(id) = head.facility.as_deref().and_then(|id| id.parse::<FacilityId>().ok()) else {
        return Ok(None);
    };
    let Some(facility) = facilities::resolve(conn, &id)? else { return Ok(None) };
    let (Some(lat), Some(lon)) = (facility.lat, facility.lon) else { return Ok(None) };
    let accuracy_m = facility.accuracy_m.filter(|metres| *metres >= 0.0).unwrap_or(0.0);
    let registered = Position { lat, lon, accuracy_m };
    let limit_m = about.thresholds.far_from_facility_m;
    if fix.at_least_m(&registered) <= limit_m {
        return Ok(None);
    }
    // From three distances a stranger could tell where a shelter is.
    let told = lies_in(&facility, filer_areas).then(|| fix.distance_m(&registered).round());
    let figures = json!({
        "distance_m": told,
        "accuracy_m": fix.accuracy_m,
        "facility_accuracy_m": accuracy_m,
        "limit_m": limit_m,
    });
    Ok(Some(Late { subject: id.to_string(), flag: flag("far_from_facility", figures) }))
}

fn lies_in(facility: &Facility, areas: &[String]) -> bool {
    [&facility.province, &facility.division, &facility.district, &facility.tehsil]
        .into_iter()
        .flatten()
        .any(|area| areas.contains(area))
}
