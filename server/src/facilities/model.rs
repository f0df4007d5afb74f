//! Nouns of the register.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::facts::Facts;
use super::grid::Grid;
use crate::accounts::Line;
use crate::db::schema::{
    facilities, facility_events, facility_links, facility_registrations, facility_trigrams, facility_visits,
    facility_words,
};
use crate::db::{At, Json, text_enum, text_id};
use crate::error::Result;

text_id! {
    /// A facility's id: a UUID, made by the phone that registered it.
    FacilityId
}

text_enum! {
    /// Where a facility stands in the register.
    Status {
        /// Somebody registered it in the field; nobody has confirmed it.
        Provisional = "provisional",
        /// Confirmed.
        Active = "active",
        /// It is no longer run.
        Closed = "closed",
        /// It is the same place as another one, which goes on in its stead.
        Merged = "merged",
    }
}

text_enum! {
    /// How closely a facility has to be watched; decides how long it may go unvisited (`visit_intervals.json`).
    Risk {
        /// Closely.
        High = "high",
        /// More than others.
        Medium = "medium",
        /// As a routine.
        Low = "low",
    }
}

text_enum! {
    /// How two facilities belong together.
    Relation {
        /// One owner.
        SameOwner = "same_owner",
        /// One works for the other.
        Contractor = "contractor",
        /// Kilns of one chain, between which families are moved.
        KilnChain = "kiln_chain",
        /// Somebody looked: alike, but two places. They are not offered as duplicates again.
        Distinct = "distinct",
    }
}

text_enum! {
    /// What happened to a facility.
    Deed {
        /// Registered in the field.
        Registered = "registered",
        /// Came with a file.
        Imported = "imported",
        /// Its registrant sent other facts.
        Revised = "revised",
        /// A supervisor corrected it.
        Corrected = "corrected",
        /// A supervisor confirmed it.
        Confirmed = "confirmed",
        /// No longer run.
        Closed = "closed",
        /// Run again.
        Reopened = "reopened",
        /// Merged into another.
        Merged = "merged",
        /// Another was merged into it.
        Absorbed = "absorbed",
        /// The merge was undone.
        Unmerged = "unmerged",
        /// What it had absorbed was taken out again.
        Released = "released",
        /// Somebody says that it and another are two places.
        Distinguished = "distinguished",
        /// Boundaries changed, and it lies in another district.
        Relocated = "relocated",
        /// Its risk was set.
        Rated = "rated",
    }
}

/// A facility as it stands now.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = facilities, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Facility {
    /// Its id.
    pub id: FacilityId,
    /// What people call it by: `PK226-K-0042`. Given once; it stays when the facility turns out to lie elsewhere.
    pub code: String,
    /// What kind of place it is: the code of a [`super::FacilityKind`].
    pub kind: String,
    /// The line of work that visits it.
    pub line: Line,
    /// Where it stands in the register.
    pub status: Status,
    /// Its name in Latin letters.
    pub name_en: Option<String>,
    /// Its name in Urdu.
    pub name_ur: Option<String>,
    pub(super) facts: Json,
    pub(super) content_hash: String,
    /// Counts the changes of its facts and its standing.
    pub revision: i32,
    pub(super) touched: i32,
    /// The facility that goes on in its stead.
    pub merged_into: Option<FacilityId>,
    pub(super) merged_directly: Option<FacilityId>,
    pub(super) status_before: Option<Status>,
    /// Latitude in degrees.
    pub lat: Option<f64>,
    /// Longitude in degrees.
    pub lon: Option<f64>,
    /// Within how many metres.
    pub accuracy_m: Option<f64>,
    pub(super) cell: Option<i32>,
    pub(super) zone: Option<i32>,
    /// Code of its province.
    pub province: Option<String>,
    /// Code of its division.
    pub division: Option<String>,
    /// Code of its district: where it lies; where that is not known, as answered.
    pub district: Option<String>,
    /// Code of its tehsil.
    pub tehsil: Option<String>,
    pub(super) edition: Option<String>,
    /// How many people it is meant for.
    pub capacity: Option<i32>,
    /// How closely it has to be watched; none: nobody has said.
    pub risk: Option<Risk>,
    /// The last visit.
    pub last_visited_at: Option<At>,
    /// How many visits.
    pub visit_count: i32,
    /// The account that registered it; none: it came with a file.
    pub registered_by: Option<String>,
    /// When it was registered.
    pub registered_at: At,
    /// When it was last changed.
    pub changed_at: At,
}

/// The areas a facility lies in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) province: Option<String>,
    pub(super) division: Option<String>,
    pub(super) district: Option<String>,
    pub(super) tehsil: Option<String>,
    /// The boundaries that say so.
    pub(super) edition: Option<String>,
}

impl Facility {
    /// What is known of it.
    pub fn facts(&self) -> Result<Facts> {
        self.facts.read()
    }

    /// Whether it may still be visited: neither closed nor merged.
    pub fn is_open(&self) -> bool {
        matches!(self.status, Status::Provisional | Status::Active)
    }

    /// Takes in what is known of it.
    pub(super) fn state(&mut self, facts: &Facts, area: Area) -> Result<()> {
        let position = facts.position.as_ref();
        let square = |grid: Grid| position.map(|it| grid.square(it.lat, it.lon));
        self.kind = facts.kind.to_string();
        self.line = facts.kind.line();
        self.name_en = facts.name_en.clone();
        self.name_ur = facts.name_ur.clone();
        self.content_hash = facts.hash()?;
        self.facts = Json::of(facts)?;
        self.capacity = facts.capacity;
        self.lat = position.map(|it| it.lat);
        self.lon = position.map(|it| it.lon);
        self.accuracy_m = position.and_then(|it| it.accuracy_m);
        self.cell = square(Grid::Cells);
        self.zone = square(Grid::Zones);
        self.lie_in(area);
        Ok(())
    }

    pub(super) fn lie_in(&mut self, area: Area) {
        self.province = area.province;
        self.division = area.division;
        self.district = area.district;
        self.tehsil = area.tehsil;
        self.edition = area.edition;
    }

    /// The entity tag: moves with everything a reader sees.
    pub(super) fn etag(&self) -> String {
        format!("\"{}.{}\"", self.revision, self.touched)
    }
}

/// Something that happened to a facility. Never changed.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = facility_events, treat_none_as_default_value = false)]
pub(super) struct EventRow {
    pub(super) facility_id: FacilityId,
    pub(super) n: i32,
    pub(super) at: At,
    pub(super) account_id: Option<String>,
    pub(super) device_id: Option<String>,
    pub(super) action: Deed,
    pub(super) revision: i32,
    pub(super) content_hash: Option<String>,
    pub(super) facts: Option<Json>,
    pub(super) other: Option<String>,
    pub(super) reason: Option<String>,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = facility_registrations, treat_none_as_default_value = false)]
pub(super) struct RegistrationRow {
    pub(super) facility_id: FacilityId,
    pub(super) position: i32,
    pub(super) body: String,
    pub(super) number: Option<String>,
    pub(super) valid_from: Option<String>,
    pub(super) valid_to: Option<String>,
}

impl RegistrationRow {
    pub(super) fn all(id: &FacilityId, facts: &Facts) -> Vec<RegistrationRow> {
        let row = |(position, it): (i32, &super::facts::Registration)| RegistrationRow {
            facility_id: id.clone(),
            position,
            body: it.body.clone(),
            number: it.number.clone(),
            valid_from: it.valid_from.map(|day| day.to_string()),
            valid_to: it.valid_to.map(|day| day.to_string()),
        };
        (0..).zip(&facts.registrations).map(row).collect()
    }
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = facility_links, treat_none_as_default_value = false)]
pub(super) struct LinkRow {
    pub(super) facility_id: FacilityId,
    pub(super) other_id: FacilityId,
    pub(super) relation: Relation,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = facility_visits, treat_none_as_default_value = false)]
pub(super) struct VisitRow {
    pub(super) submission_id: String,
    pub(super) facility_id: FacilityId,
    pub(super) at: At,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = facility_words, treat_none_as_default_value = false)]
pub(super) struct WordRow {
    pub(super) word: String,
    pub(super) facility_id: FacilityId,
}

#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = facility_trigrams, treat_none_as_default_value = false)]
pub(super) struct TrigramRow {
    pub(super) trigram: String,
    pub(super) word: String,
}

/// What a phone holds of a facility, to be shown without a network. No contact and no operator's name: phones get lost.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "revision": 2, "code": "PK226-K-0042", "kind": "brick_kiln", "line": "labour",
    "status": "active", "merged_into": null, "name_en": "Demo Kiln One", "name_ur": "نمونہ بھٹہ ایک", "aliases": [],
    "lat": 30.1921, "lon": 67.0075, "accuracy_m": 9.0, "district": "PK226", "tehsil": null, "address": null, "capacity": 60,
    "sector": "2392", "registrations": [], "risk": null, "last_visited_at": null, "visit_count": 0
}))]
pub struct FacilityForPhone {
    /// Its id.
    pub id: FacilityId,
    /// Counts its changes.
    pub revision: i32,
    /// Its code.
    pub code: String,
    /// Its kind.
    pub kind: String,
    /// The line of work that visits it.
    pub line: Line,
    /// Where it stands in the register.
    pub status: Status,
    /// The facility that goes on in its stead.
    pub merged_into: Option<FacilityId>,
    /// Its name in Latin letters.
    pub name_en: Option<String>,
    /// Its name in Urdu.
    pub name_ur: Option<String>,
    /// Other names.
    pub aliases: Vec<String>,
    /// Latitude in degrees.
    pub lat: Option<f64>,
    /// Longitude in degrees.
    pub lon: Option<f64>,
    /// Within how many metres.
    pub accuracy_m: Option<f64>,
    /// Code of its district.
    pub district: Option<String>,
    /// Code of its tehsil.
    pub tehsil: Option<String>,
    /// How to find it.
    pub address: Option<String>,
    /// How many people it is meant for.
    pub capacity: Option<i32>,
    /// ISIC class.
    pub sector: Option<String>,
    /// Registrations and licences.
    pub registrations: Vec<super::facts::Registration>,
    /// How closely it has to be watched.
    pub risk: Option<Risk>,
    /// The last visit.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    pub last_visited_at: Option<At>,
    /// How many visits.
    pub visit_count: i32,
}

impl FacilityForPhone {
    pub(super) fn of(row: Facility) -> Result<FacilityForPhone> {
        let facts = row.facts()?;
        Ok(FacilityForPhone {
            id: row.id,
            revision: row.revision,
            code: row.code,
            kind: row.kind,
            line: row.line,
            status: row.status,
            merged_into: row.merged_into,
            name_en: row.name_en,
            name_ur: row.name_ur,
            aliases: facts.aliases,
            lat: row.lat,
            lon: row.lon,
            accuracy_m: row.accuracy_m,
            district: row.district,
            tehsil: row.tehsil,
            address: facts.address,
            capacity: row.capacity,
            sector: facts.sector,
            registrations: facts.registrations,
            risk: row.risk,
            last_visited_at: row.last_visited_at,
            visit_count: row.visit_count,
        })
    }
}
