//! Nouns of places: a position, what it is tagged with, and the rows of a boundary set.
//! Coordinates are always latitude first in our own types and longitude first in GeoJSON; `Coordinates` keeps them apart.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::db::schema::{boundary_areas, boundary_sets};
use crate::db::{At, Json, text_enum, text_id};
use crate::error::{Error, Result};

/// A position on Earth (WGS 84, degrees). Cannot exist out of range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coordinates {
    lat: f64,
    lon: f64,
}

impl Coordinates {
    /// Takes latitude −90…90 and longitude −180…180; anything else, NaN included, is refused.
    pub fn new(lat: f64, lon: f64) -> Result<Coordinates> {
        if (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon) {
            return Ok(Coordinates { lat, lon });
        }
        Err(Error::invalid(
            "bad_coordinates",
            "`lat` must lie between -90 and 90 and `lon` between -180 and 180, in degrees, latitude first",
        ))
    }

    /// Latitude in degrees.
    pub fn lat(self) -> f64 {
        self.lat
    }

    /// Longitude in degrees.
    pub fn lon(self) -> f64 {
        self.lon
    }
}

/// A position as a device gave it: unchecked, so that a wrong one can be tagged as what it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fix {
    /// Latitude in degrees.
    pub lat: f64,
    /// Longitude in degrees.
    pub lon: f64,
    /// Radius in metres within which the device believes to be. None, negative or not a number: not known, taken as 0.
    pub accuracy_m: Option<f64>,
}

text_enum! {
    /// Where a fix lies, seen from the boundary sets that are loaded.
    PlaceStatus {
        /// In an area of the set.
        Inside = "inside",
        /// In none, but within two kilometres of one. Never snapped to it.
        OutsideNear = "outside_near",
        /// In none, and further away. A position that cannot be on Earth is outside, too.
        Outside = "outside",
        /// No set is loaded; to be tagged again when one is.
        NoBoundarySet = "no_boundary_set",
        /// There is no position.
        NoFix = "no_fix",
    }
}

/// An administrative area by code and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(example = json!({"code": "PK226", "name_en": "Quetta", "name_ur": "کوئٹہ"}))]
pub struct Named {
    /// P-code, or the code made in its place.
    pub code: String,
    /// English name.
    pub name_en: String,
    /// Urdu name, where known.
    pub name_ur: Option<String>,
}

/// A district in which the fix may lie.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(example = json!({"code": "PK220", "name_en": "Mastung", "name_ur": "مستونگ", "distance_m": 412.3}))]
pub struct Candidate {
    /// P-code, or the code made in its place.
    pub code: String,
    /// English name.
    pub name_en: String,
    /// Urdu name, where known.
    pub name_ur: Option<String>,
    /// Metres from the fix to the district; 0 for the one it lies in.
    pub distance_m: f64,
}

/// Where a fix lies and how sure that is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(example = json!({
    "status": "inside", "set": "PK-BA-ADM2-2023-34",
    "province": {"code": "PK2", "name_en": "Balochistan", "name_ur": "بلوچستان"},
    "division": {"code": "PK2-DIV-QUETTA", "name_en": "Quetta", "name_ur": "کوئٹہ"},
    "district": {"code": "PK226", "name_en": "Quetta", "name_ur": "کوئٹہ"},
    "tehsil": {"code": "PK22602", "name_en": "Quetta City", "name_ur": "کوئٹہ سٹی"},
    "distance_to_boundary_m": 6478.9, "ambiguous_gps": false, "near_boundary": false,
    "candidates": [{"code": "PK226", "name_en": "Quetta", "name_ur": "کوئٹہ", "distance_m": 0.0}]
}))]
pub struct PlaceTag {
    /// Inside, outside, or why neither can be said.
    pub status: PlaceStatus,
    /// The set the districts were taken from.
    pub set: Option<String>,
    /// The province, when inside.
    pub province: Option<Named>,
    /// The division, when inside and known.
    pub division: Option<Named>,
    /// The district, when inside. Null inside the province: the fix lies in a gap between districts.
    pub district: Option<Named>,
    /// The tehsil, where the set has one there.
    pub tehsil: Option<Named>,
    /// Metres to the nearest district line, on whichever side.
    pub distance_to_boundary_m: Option<f64>,
    /// The line is nearer than the device's accuracy: the fix cannot tell the sides apart.
    pub ambiguous_gps: bool,
    /// The line is nearer than accuracy and the line's own uncertainty together.
    pub near_boundary: bool,
    /// Every district within reach of the fix, nearest first.
    pub candidates: Vec<Candidate>,
}

impl PlaceTag {
    /// The tag of a submission without a position.
    pub fn no_fix() -> PlaceTag {
        PlaceTag::bare(PlaceStatus::NoFix)
    }

    pub(super) fn bare(status: PlaceStatus) -> PlaceTag {
        PlaceTag {
            status,
            set: None,
            province: None,
            division: None,
            district: None,
            tehsil: None,
            distance_to_boundary_m: None,
            ambiguous_gps: false,
            near_boundary: false,
            candidates: Vec::new(),
        }
    }

    /// The codes the fix lies in, widest first: province, division, district, tehsil.
    pub fn area_chain(&self) -> Vec<String> {
        let areas = [&self.province, &self.division, &self.district, &self.tehsil];
        areas.into_iter().flatten().map(|area| area.code.clone()).collect()
    }
}

text_id! {
    /// One import of a boundary set.
    BoundarySetId
}

/// A boundary set as it was imported. Never changed: what differs is another set.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, Serialize, utoipa::ToSchema)]
#[diesel(table_name = boundary_sets)]
#[schema(example = json!({
    "id": "0190a6e0-0000-7000-8000-000000000001", "set_id": "PK-BA-ADM2-2023-34", "level": 2, "vintage": "2023-03-01",
    "valid_from": null, "valid_to": null, "licence": "ODbL-1.0", "attribution": "© OpenStreetMap contributors",
    "sha256": "9f2c…", "line_uncertainty_m": 1000.0, "imported_at": "2026-11-20T08:00:00Z", "area_count": 34
}))]
pub struct BoundarySet {
    /// The import's own id.
    pub id: BoundarySetId,
    /// The name its maker gave it.
    pub set_id: String,
    /// 1 provinces, 2 districts, 3 tehsils.
    pub level: i32,
    /// Which state of affairs the lines show; begins with a year, and the newest is used.
    pub vintage: String,
    /// First day in force, `YYYY-MM-DD`.
    pub valid_from: Option<String>,
    /// First day no longer in force.
    pub valid_to: Option<String>,
    /// The licence it may be used under.
    pub licence: String,
    /// The words to print wherever it is shown.
    pub attribution: String,
    /// SHA-256 of the file as imported, in hex.
    pub sha256: String,
    /// How far a line may lie from the truth, in metres.
    pub line_uncertainty_m: f64,
    /// When it was imported.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub imported_at: At,
    /// How many areas it has.
    pub area_count: i32,
}

impl BoundarySet {
    /// The date a vintage begins with, by which one set is newer than another: of `2023-03-01 (PBS 2023 census list)`
    /// the day, of a span such as `2011-2012` the first year.
    pub fn date(&self) -> &str {
        let end = self.vintage.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(self.vintage.len());
        let date = &self.vintage[..end];
        match date.split_once('-') {
            Some((year, rest)) if rest.split('-').next().is_some_and(|part| part.len() != 2) => year,
            _ => date,
        }
    }
}

/// One area of a set as it is stored.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = boundary_areas)]
pub(super) struct AreaRow {
    pub(super) boundary_set_id: BoundarySetId,
    pub(super) code: String,
    pub(super) name_en: String,
    pub(super) name_ur: Option<String>,
    pub(super) parent: Option<String>,
    /// The properties as the file had them.
    pub(super) properties: Json,
    /// A MultiPolygon as WKB, which GIS tools read from the table as it is.
    pub(super) geometry: Vec<u8>,
}
