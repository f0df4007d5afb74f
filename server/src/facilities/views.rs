//! The register as its readers see it. Whom to ask for, and who runs a place, is shown to those who visit it, supervise it or
//! work its cases; to nobody else.

use chrono::NaiveDate;
use serde::Serialize;

use super::area::Warning;
use super::facts::{Contact, Facts, Link, Operator, Position, Registration};
use super::model::{Deed, EventRow, Facility, FacilityId, LinkRow, Risk, Status};
use super::sight::Sight;
use super::store;
use crate::accounts::Line;
use crate::db::{At, DbConn};
use crate::error::Result;
use crate::places::{self, Named};

/// One facility.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "code": "PK226-K-0042", "kind": "brick_kiln", "line": "labour",
    "status": "provisional", "name_en": "Demo Kiln One", "name_ur": "نمونہ بھٹہ ایک", "aliases": [], "registrations": [],
    "licensed": false, "operator": null, "links": [], "position": { "lat": 30.1921, "lon": 67.0075, "accuracy_m": 9.0 },
    "district": { "code": "PK226", "name_en": "Quetta", "name_ur": "کوئٹہ" }, "division": "PK2-DIV-QUETTA", "tehsil": null,
    "address": null, "capacity": 60, "sector": "2392", "contact": null, "risk": null, "last_visited_at": null, "visit_count": 0,
    "merged_into": null, "merged": [], "revision": 1, "registered_at": "2026-11-20T09:00:00Z",
    "changed_at": "2026-11-20T09:00:00Z", "withheld": []
}))]
pub(crate) struct FacilityView {
    /// Its id.
    pub id: FacilityId,
    /// What people call it by.
    pub code: String,
    /// What kind of place it is.
    pub kind: String,
    /// The line of work that visits it.
    pub line: Line,
    /// Where it stands in the register.
    pub status: Status,
    /// Its name in Latin letters.
    pub name_en: Option<String>,
    /// Its name in Urdu.
    pub name_ur: Option<String>,
    /// Other names.
    pub aliases: Vec<String>,
    /// Registrations and licences.
    pub registrations: Vec<Registration>,
    /// Whether one of them is in force today.
    pub licensed: bool,
    /// Who runs it.
    pub operator: Option<Operator>,
    /// Facilities it belongs with, whichever of the two says so.
    pub links: Vec<Link>,
    /// Where it is.
    pub position: Option<Position>,
    /// Its district.
    pub district: Option<Named>,
    /// Code of its division.
    pub division: Option<String>,
    /// Code of its tehsil.
    pub tehsil: Option<String>,
    /// How to find it.
    pub address: Option<String>,
    /// How many people it is meant for.
    pub capacity: Option<i32>,
    /// ISIC class.
    pub sector: Option<String>,
    /// Whom to ask for.
    pub contact: Option<Contact>,
    /// How closely it has to be watched.
    pub risk: Option<Risk>,
    /// The last visit.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    pub last_visited_at: Option<At>,
    /// How many visits.
    pub visit_count: i32,
    /// The facility that goes on in its stead.
    pub merged_into: Option<FacilityId>,
    /// The facilities in whose stead it goes on.
    pub merged: Vec<FacilityId>,
    /// Counts its changes.
    pub revision: i32,
    /// When it was registered.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub registered_at: At,
    /// When it was last changed.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub changed_at: At,
    /// Members this reader is not shown.
    pub withheld: Vec<&'static str>,
    #[serde(skip)]
    #[schema(ignore)]
    pub(super) etag: String,
}

/// A facility as `sight` shows it.
pub(super) fn view(
    conn: &mut DbConn,
    row: Facility,
    sight: &Sight,
    today: NaiveDate,
) -> Result<FacilityView> {
    let links = store::links(conn, &row.id)?;
    let merged = store::absorbed(conn, &row.id)?.into_iter().map(|absorbed| absorbed.id).collect();
    let (facts, withheld) = shown(row.facts()?, sight);
    Ok(FacilityView {
        etag: row.etag(),
        links: links.into_iter().map(|link| link_of(&row.id, link)).collect(),
        merged,
        withheld,
        licensed: facts.registrations.iter().any(|it| it.is_valid_on(today)),
        aliases: facts.aliases,
        registrations: facts.registrations,
        operator: facts.operator,
        position: facts.position,
        address: facts.address,
        sector: facts.sector,
        contact: facts.contact,
        district: row.district.as_deref().map(named),
        id: row.id,
        code: row.code,
        kind: row.kind,
        line: row.line,
        status: row.status,
        name_en: row.name_en,
        name_ur: row.name_ur,
        division: row.division,
        tehsil: row.tehsil,
        capacity: row.capacity,
        risk: row.risk,
        last_visited_at: row.last_visited_at,
        visit_count: row.visit_count,
        merged_into: row.merged_into,
        revision: row.revision,
        registered_at: row.registered_at,
        changed_at: row.changed_at,
    })
}

/// The facts without the people in them, unless they may be shown.
fn shown(mut facts: Facts, sight: &Sight) -> (Facts, Vec<&'static str>) {
    if sight.people {
        return (facts, Vec::new());
    }
    facts.contact = None;
    if let Some(operator) = &mut facts.operator {
        operator.name = None;
    }
    // Nobody knows what a newer phone says in there.
    facts.besides.clear();
    (facts, vec!["contact", "operator.name"])
}

fn link_of(id: &FacilityId, link: LinkRow) -> Link {
    let other = if link.facility_id == *id { link.other_id } else { link.facility_id };
    Link { facility: other, relation: link.relation }
}

fn named(code: &str) -> Named {
    let unnamed = || Named { code: code.to_owned(), name_en: code.to_owned(), name_ur: None };
    places::district(code).map_or_else(unnamed, |(district, _)| district)
}

/// What a registration or a confirmation is answered with.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Registered {
    /// The facility as it is registered.
    pub facility: FacilityView,
    /// Facilities it may be the same as, the likeliest first.
    pub possible_duplicates: Vec<PossibleDuplicate>,
    /// What to look at before it is confirmed.
    pub warnings: Vec<Warning>,
}

/// A facility that may be the same as another.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f12", "code": "PK226-K-0007", "kind": "brick_kiln", "status": "active",
    "name_en": null, "name_ur": "نمونہ بھٹہ ۱", "distance_m": 42.0, "name_score": 0.95, "score": 0.95
}))]
pub(crate) struct PossibleDuplicate {
    /// Its id.
    pub id: FacilityId,
    /// Its code.
    pub code: String,
    /// Its kind.
    pub kind: String,
    /// Where it stands in the register.
    pub status: Status,
    /// Its name in Latin letters.
    pub name_en: Option<String>,
    /// Its name in Urdu.
    pub name_ur: Option<String>,
    /// Metres between the two; none: one has no position.
    pub distance_m: Option<f64>,
    /// How alike the names are, 0 to 1.
    pub name_score: f64,
    /// Names, distance and kind together, 0 to 1.
    pub score: f64,
}

/// A facility in a list.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "code": "PK226-K-0042", "kind": "brick_kiln", "line": "labour",
    "status": "active", "name_en": "Demo Kiln One", "name_ur": "نمونہ بھٹہ ایک", "district": "PK226", "lat": 30.1921, "lon": 67.0075,
    "accuracy_m": 9.0, "capacity": 60, "risk": null, "last_visited_at": null, "visit_count": 0, "merged_into": null, "revision": 1,
    "distance_m": 42.0, "score": 0.95
}))]
pub(crate) struct ListedFacility {
    /// Its id.
    pub id: FacilityId,
    /// Its code.
    pub code: String,
    /// Its kind.
    pub kind: String,
    /// The line of work that visits it.
    pub line: Line,
    /// Where it stands in the register.
    pub status: Status,
    /// Its name in Latin letters.
    pub name_en: Option<String>,
    /// Its name in Urdu.
    pub name_ur: Option<String>,
    /// Code of its district.
    pub district: Option<String>,
    /// Latitude in degrees.
    pub lat: Option<f64>,
    /// Longitude in degrees.
    pub lon: Option<f64>,
    /// Within how many metres.
    pub accuracy_m: Option<f64>,
    /// How many people it is meant for.
    pub capacity: Option<i32>,
    /// How closely it has to be watched.
    pub risk: Option<Risk>,
    /// The last visit.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    pub last_visited_at: Option<At>,
    /// How many visits.
    pub visit_count: i32,
    /// The facility that goes on in its stead.
    pub merged_into: Option<FacilityId>,
    /// Counts its changes.
    pub revision: i32,
    /// Metres from the point asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distance_m: Option<f64>,
    /// How well it fits the name asked for, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
}

impl ListedFacility {
    pub(super) fn of(row: Facility) -> ListedFacility {
        ListedFacility {
            id: row.id,
            code: row.code,
            kind: row.kind,
            line: row.line,
            status: row.status,
            name_en: row.name_en,
            name_ur: row.name_ur,
            district: row.district,
            lat: row.lat,
            lon: row.lon,
            accuracy_m: row.accuracy_m,
            capacity: row.capacity,
            risk: row.risk,
            last_visited_at: row.last_visited_at,
            visit_count: row.visit_count,
            merged_into: row.merged_into,
            revision: row.revision,
            distance_m: None,
            score: None,
        }
    }
}

/// Something that happened to a facility.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = FacilityEvent, example = json!({
    "n": 2, "at": "2026-11-21T05:00:00Z", "by": "0193a4b2-7c1e-7d3a-9f00-2b6c1d5e8a41", "action": "confirmed", "revision": 2,
    "facts": null, "other": null, "reason": null
}))]
pub(crate) struct EventView {
    /// Counts the facility's events from one.
    pub n: i32,
    /// When.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub at: At,
    /// By which account; none: by the system.
    pub by: Option<String>,
    /// What was done.
    pub action: Deed,
    /// The revision it led to.
    pub revision: i32,
    /// The facts as they then were, its position among them; none: they did not change.
    pub facts: Option<Facts>,
    /// The other facility it is about.
    pub other: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

impl EventView {
    pub(super) fn of(row: EventRow, sight: &Sight) -> Result<EventView> {
        let facts: Option<Facts> = row.facts.as_ref().map(crate::db::Json::read).transpose()?;
        Ok(EventView {
            n: row.n,
            at: row.at,
            by: row.account_id,
            action: row.action,
            revision: row.revision,
            facts: facts.map(|facts| shown(facts, sight).0),
            other: row.other,
            reason: row.reason,
        })
    }
}
