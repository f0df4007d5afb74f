//! Where a facility lies: its position decides, whatever was answered; where that says nothing, the answer does, so that no
//! place is invisible to its district's supervisor.

use std::collections::BTreeMap;

use serde::Serialize;

use super::facts::{Facts, Position};
use super::model::Area;
use crate::places::{self, Fix, HOME_PROVINCE, PlaceStatus, Places};

/// The corners of the province, south-west and north-east: enough to notice swapped coordinates before boundaries are loaded.
const CORNERS: ((f64, f64), (f64, f64)) = ((24.8, 60.8), (32.2, 70.4));

/// A position less accurate than this, in metres, may be the neighbour's.
const POOR_ACCURACY_M: f64 = 100.0;

/// The areas of a place, `otherwise` the district it belongs to where neither position nor answer says.
pub(super) fn of(places: &Places, facts: &Facts, otherwise: Option<&str>) -> Area {
    let edition = places.edition();
    let tag = facts.position.as_ref().map(|position| places.locate(&fix(position)));
    if let Some((tag, district)) = tag.as_ref().and_then(|tag| Some((tag, tag.district.as_ref()?))) {
        let code = |it: &Option<places::Named>| it.as_ref().map(|place| place.code.clone());
        return Area {
            province: code(&tag.province).or(Some(HOME_PROVINCE.to_owned())),
            division: code(&tag.division),
            district: Some(district.code.clone()),
            tehsil: code(&tag.tehsil),
            edition,
        };
    }
    let answered = facts.district.as_deref().or(otherwise);
    let division = answered.and_then(places::district).map(|(_, division)| division.code);
    Area {
        province: Some(HOME_PROVINCE.to_owned()),
        division,
        district: answered.map(str::to_owned),
        tehsil: None,
        edition,
    }
}

fn fix(position: &Position) -> Fix {
    Fix { lat: position.lat, lon: position.lon, accuracy_m: position.accuracy_m }
}

/// Where a position lies, seen from the province.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whereabouts {
    Inside,
    /// Outside, but with latitude and longitude exchanged it would be inside.
    Swapped,
    Outside,
}

/// Where a position lies.
pub(super) fn whereabouts(places: &Places, lat: f64, lon: f64) -> Whereabouts {
    match (is_inside(places, lat, lon), is_inside(places, lon, lat)) {
        (true, _) => Whereabouts::Inside,
        (false, true) => Whereabouts::Swapped,
        (false, false) => Whereabouts::Outside,
    }
}

fn is_inside(places: &Places, lat: f64, lon: f64) -> bool {
    if places.is_empty() {
        let ((south, west), (north, east)) = CORNERS;
        return (south..=north).contains(&lat) && (west..=east).contains(&lon);
    }
    let tag = places.locate(&Fix { lat, lon, accuracy_m: None });
    matches!(tag.status, PlaceStatus::Inside | PlaceStatus::OutsideNear)
}

/// Something to look at before a facility is confirmed. It refuses nothing that comes from the field.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "code": "swapped_coordinates", "message": { "en": "Latitude and longitude seem to be exchanged.", "ur": "عرض بلد اور طول بلد الٹ لگتے ہیں۔" }
}))]
pub(crate) struct Warning {
    /// Stable, for programs.
    pub code: &'static str,
    /// For people, in English and Urdu.
    pub message: BTreeMap<&'static str, &'static str>,
}

/// What to look at in a place registered by somebody who works in `areas`.
pub(super) fn warnings(places: &Places, facts: &Facts, area: &Area, areas: &[String]) -> Vec<Warning> {
    let Some(position) = &facts.position else {
        return vec![warning("no_position", "There is no position.", "مقام درج نہیں۔")];
    };
    let mut warnings = Vec::new();
    match whereabouts(places, position.lat, position.lon) {
        Whereabouts::Inside => {}
        Whereabouts::Swapped => warnings.push(warning(
            "swapped_coordinates",
            "Latitude and longitude seem to be exchanged.",
            "عرض بلد اور طول بلد الٹ لگتے ہیں۔",
        )),
        Whereabouts::Outside => warnings.push(warning(
            "outside_province",
            "The position lies outside the province.",
            "مقام صوبے سے باہر ہے۔",
        )),
    }
    if position.accuracy_m.is_some_and(|metres| metres > POOR_ACCURACY_M) {
        warnings.push(warning(
            "poor_accuracy",
            "The position is too inaccurate to tell the place from its neighbour.",
            "مقام اتنا درست نہیں کہ ساتھ والی جگہ سے فرق ہو سکے۔",
        ));
    }
    let codes = [&area.province, &area.division, &area.district, &area.tehsil];
    if !codes.into_iter().flatten().any(|code| areas.contains(code)) {
        warnings.push(warning(
            "other_area",
            "It lies outside the area of whoever registers it.",
            "یہ اندراج کرنے والے کے علاقے سے باہر ہے۔",
        ));
    }
    warnings
}

fn warning(code: &'static str, en: &'static str, ur: &'static str) -> Warning {
    Warning { code, message: BTreeMap::from([("en", en), ("ur", ur)]) }
}
