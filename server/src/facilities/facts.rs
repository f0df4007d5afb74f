//! What is known of a place, as somebody says it: read from a phone, a supervisor's correction or a line of CSV, and checked
//! as a whole. An unlicensed place is an ordinary one: it has no registrations.

use chrono::{DateTime, FixedOffset, NaiveDate};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::kinds::FacilityKind;
use super::model::{FacilityId, Relation};
use crate::db::storable;
use crate::error::{Error, Result};
use crate::places::{self, Coordinates};

/// The longest name, address or number, in letters.
const LONGEST: usize = 200;
/// The most aliases, registrations and links.
const MOST: usize = 30;
/// Bodies a place can be registered with: of the lists `reg` and `reglaw`.
pub(super) const BODIES: &[&str] = &["factories", "shops", "mines", "bcra", "swd", "madrasa_board", "other"];
/// Who owns or runs a place: of the lists `own` and `runby`.
const OWNERSHIPS: &[&str] = &[
    "sole",
    "partner",
    "company",
    "govt",
    "contractor",
    "family",
    "unknown",
    "ngo",
    "faith",
    "private",
    "ingo",
    "trust",
];

/// What is known of a facility.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(example = json!({
    "kind": "brick_kiln", "name_en": "Demo Kiln One", "name_ur": "نمونہ بھٹہ ایک", "aliases": ["DK-1"],
    "registrations": [{ "body": "factories", "number": "F-112", "valid_from": "2025-01-01", "valid_to": "2026-12-31" }],
    "operator": { "code": "OWN-0042", "ownership": "contractor" },
    "links": [{ "facility": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f11", "relation": "same_owner" }],
    "position": { "lat": 30.1921, "lon": 67.0075, "accuracy_m": 9.0, "fixed_at": "2026-11-20T08:14:02+05:00" },
    "district": "PK226", "address": "Sariab road, beyond the bridge", "capacity": 60, "sector": "2392",
    "contact": { "name": "the munshi", "phone": "0300-0000000" }
}))]
pub struct Facts {
    /// What kind of place it is.
    pub kind: FacilityKind,
    /// Its name in Latin letters. A place has a name in at least one script: the board's, or what people call it.
    #[serde(default)]
    pub name_en: Option<String>,
    /// Its name in Urdu.
    #[serde(default)]
    pub name_ur: Option<String>,
    /// Other names it goes by, in either script.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Registrations and licences; none: it is unlicensed, as many are.
    #[serde(default)]
    pub registrations: Vec<Registration>,
    /// Who runs it.
    #[serde(default)]
    pub operator: Option<Operator>,
    /// Other facilities it belongs with.
    #[serde(default)]
    pub links: Vec<Link>,
    /// Where it is.
    #[serde(default)]
    pub position: Option<Position>,
    /// The district as answered, by code: used where the position does not say.
    #[serde(default)]
    pub district: Option<String>,
    /// How to find it.
    #[serde(default)]
    pub address: Option<String>,
    /// How many people it is meant for: children of a home, workers of a workplace.
    #[serde(default)]
    pub capacity: Option<i32>,
    /// ISIC Rev. 4 class, four digits.
    #[serde(default)]
    pub sector: Option<String>,
    /// Whom to ask for. Shown only to those who visit it, supervise it or work its cases.
    #[serde(default)]
    pub contact: Option<Contact>,
    /// What a newer phone says besides: kept.
    #[serde(flatten)]
    #[schema(ignore)]
    pub besides: Map<String, Value>,
}

/// A registration or licence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Registration {
    /// With whom or under which law: `factories`, `shops`, `mines`, `bcra`, `swd`, `madrasa_board`, `other`.
    #[schema(example = "factories")]
    pub body: String,
    /// Its number.
    #[serde(default)]
    pub number: Option<String>,
    /// First day; none: not known.
    #[serde(default)]
    pub valid_from: Option<NaiveDate>,
    /// Last day; none: no end is known.
    #[serde(default)]
    pub valid_to: Option<NaiveDate>,
}

impl Registration {
    /// Whether it is in force on a day.
    pub fn is_valid_on(&self, day: NaiveDate) -> bool {
        self.valid_from.is_none_or(|from| from <= day) && self.valid_to.is_none_or(|to| day <= to)
    }
}

/// Who runs a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Operator {
    /// The owner's or occupier's code.
    #[serde(default)]
    pub code: Option<String>,
    /// The name; shown to those who may see contacts.
    #[serde(default)]
    pub name: Option<String>,
    /// `sole`, `partner`, `company`, `govt`, `contractor`, `family`, `unknown`, `ngo`, `faith`, `private`, `ingo`, `trust`.
    #[serde(default)]
    #[schema(example = "contractor")]
    pub ownership: Option<String>,
}

/// A facility this one belongs with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Link {
    /// The other one.
    pub facility: FacilityId,
    /// How they belong together.
    pub relation: Relation,
}

/// Where a place is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Position {
    /// Latitude in degrees.
    pub lat: f64,
    /// Longitude in degrees.
    pub lon: f64,
    /// Within how many metres.
    #[serde(default)]
    pub accuracy_m: Option<f64>,
    /// When it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed_at: Option<DateTime<FixedOffset>>,
}

/// Whom to ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Contact {
    /// The name.
    #[serde(default)]
    pub name: Option<String>,
    /// The telephone number.
    #[serde(default)]
    pub phone: Option<String>,
}

/// Something that is not as it must be, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) path: String,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Facts {
    /// Reads and checks what was sent.
    pub(super) fn read(value: &Value) -> Result<Facts> {
        if !value.is_object() {
            return Err(Error::invalid(
                "bad_facility",
                "a facility is a JSON object with at least `kind` and a name",
            ));
        }
        let facts: Facts = Facts::deserialize(value).map_err(|cause| {
            Error::invalid("bad_facility", format!("the facility cannot be read: {cause}"))
        })?;
        let facts = facts.tidied();
        let faults = facts.faults();
        match faults.first() {
            None => Ok(facts),
            Some(first) => Err(refused(first, &faults)),
        }
    }

    /// SHA-256 over the RFC 8785 form: what two registrations are compared by.
    pub(super) fn hash(&self) -> Result<String> {
        let canonical = serde_json_canonicalizer::to_vec(self).map_err(|cause| {
            Error::invalid("bad_facility", format!("the facility cannot be hashed: {cause}"))
        })?;
        Ok(hex::encode(Sha256::digest(canonical)))
    }

    /// Every name it has.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.name_en.iter().chain(&self.name_ur).chain(&self.aliases).map(String::as_str)
    }

    /// Spaces around and inside do not make another name; what is empty was not said.
    pub(super) fn tidied(mut self) -> Facts {
        self.name_en = self.name_en.and_then(tidy);
        self.name_ur = self.name_ur.and_then(tidy);
        self.address = self.address.and_then(tidy);
        self.district = self.district.and_then(tidy);
        self.sector = self.sector.and_then(tidy);
        self.aliases = self.aliases.into_iter().filter_map(tidy).collect();
        self.aliases.dedup();
        for registration in &mut self.registrations {
            registration.number = registration.number.take().and_then(tidy);
        }
        if let Some(operator) = &mut self.operator {
            operator.code = operator.code.take().and_then(tidy);
            operator.name = operator.name.take().and_then(tidy);
        }
        if let Some(contact) = &mut self.contact {
            contact.name = contact.name.take().and_then(tidy);
            contact.phone = contact.phone.take().and_then(tidy);
        }
        self
    }

    /// All that is wrong with it.
    pub(super) fn faults(&self) -> Vec<Fault> {
        let mut faults = Faults::default();
        faults.unless(self.name_en.is_some() || self.name_ur.is_some(), "name_en", "name_missing", || {
            "give name_en or name_ur: the name on the board, or what people call the place".into()
        });
        for (path, text) in self.texts() {
            faults.unless(text.chars().count() <= LONGEST, path, "too_long", || {
                format!("{path} is longer than {LONGEST} letters")
            });
        }
        for (path, count) in [
            ("aliases", self.aliases.len()),
            ("registrations", self.registrations.len()),
            ("links", self.links.len()),
        ] {
            faults.unless(count <= MOST, path, "too_many", || format!("{path} has more than {MOST} entries"));
        }
        self.check_registrations(&mut faults);
        self.check_place(&mut faults);
        self.check_rest(&mut faults);
        faults.0
    }

    fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let operator =
            self.operator.iter().flat_map(|it| [("operator.code", &it.code), ("operator.name", &it.name)]);
        let contact =
            self.contact.iter().flat_map(|it| [("contact.name", &it.name), ("contact.phone", &it.phone)]);
        let own = [
            ("name_en", &self.name_en),
            ("name_ur", &self.name_ur),
            ("address", &self.address),
            ("district", &self.district),
        ];
        let optional = own.into_iter().chain(operator).chain(contact);
        let numbers = self.registrations.iter().map(|it| ("registrations.number", &it.number));
        let aliases = self.aliases.iter().map(|alias| ("aliases", alias.as_str()));
        optional.chain(numbers).filter_map(|(path, text)| Some((path, text.as_deref()?))).chain(aliases)
    }

    fn check_registrations(&self, faults: &mut Faults) {
        for (at, it) in self.registrations.iter().enumerate() {
            faults.unless(
                BODIES.contains(&&*it.body),
                &format!("registrations[{at}].body"),
                "unknown_body",
                || {
                    format!(
                        "{:?} is none of {}; for an unlicensed place leave registrations empty",
                        it.body,
                        BODIES.join(", ")
                    )
                },
            );
            let in_order = it.valid_from.zip(it.valid_to).is_none_or(|(from, to)| from <= to);
            faults.unless(in_order, &format!("registrations[{at}].valid_to"), "bad_period", || {
                "valid_to lies before valid_from".into()
            });
        }
    }

    fn check_place(&self, faults: &mut Faults) {
        if let Some(position) = &self.position {
            faults.unless(
                Coordinates::new(position.lat, position.lon).is_ok(),
                "position",
                "bad_coordinates",
                || "lat lies between -90 and 90, lon between -180 and 180, in degrees".into(),
            );
            let known = position.accuracy_m.is_none_or(|metres| metres >= 0.0 && metres.is_finite());
            faults.unless(known, "position.accuracy_m", "bad_accuracy", || {
                "accuracy_m is a number of metres, 0 or more; leave it out when not known".into()
            });
        }
        if let Some(district) = &self.district {
            faults.unless(places::district(district).is_some(), "district", "unknown_district", || {
                format!("{district:?} is no district's code; such as PK226")
            });
        }
    }

    fn check_rest(&self, faults: &mut Faults) {
        faults.unless(
            self.capacity.is_none_or(|count| (0..=100_000).contains(&count)),
            "capacity",
            "bad_capacity",
            || "capacity is a number of people from 0 to 100000".into(),
        );
        let digits = |text: &String| text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
        faults.unless(self.sector.as_ref().is_none_or(digits), "sector", "bad_sector", || {
            "sector is an ISIC Rev. 4 class of four digits".into()
        });
        let ownership = self.operator.as_ref().and_then(|operator| operator.ownership.as_deref());
        faults.unless(
            ownership.is_none_or(|word| OWNERSHIPS.contains(&word)),
            "operator.ownership",
            "unknown_ownership",
            || format!("ownership is one of {}", OWNERSHIPS.join(", ")),
        );
    }
}

#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn unless(&mut self, fine: bool, path: &str, code: &'static str, message: impl FnOnce() -> String) {
        if !fine {
            self.0.push(Fault { path: path.to_owned(), code, message: message() });
        }
    }
}

fn refused(first: &Fault, faults: &[Fault]) -> Error {
    let violations: Vec<Value> = faults
        .iter()
        .map(|fault| json!({ "path": fault.path, "code": fault.code, "message": fault.message }))
        .collect();
    Error::invalid("bad_facility", format!("the facility is not as it must be: {}", first.message))
        .with("violations", violations)
}

/// Text with single spaces and without U+0000; none when nothing is left.
pub(super) fn tidy(text: String) -> Option<String> {
    let tidied = storable(text.split_whitespace().collect::<Vec<_>>().join(" "));
    (!tidied.is_empty()).then_some(tidied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_named_at_once() {
        let error = Facts::read(&json!({
            "kind": "brick_kiln", "capacity": -1, "sector": "23", "district": "PK999",
            "position": { "lat": 95, "lon": 67, "accuracy_m": -3 },
            "registrations": [{ "body": "none", "valid_from": "2026-02-01", "valid_to": "2026-01-01" }]
        }))
        .unwrap_err();

        let codes: Vec<&str> = error.members["violations"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|it| it["code"].as_str())
            .collect();
        assert_eq!(
            codes,
            [
                "name_missing",
                "unknown_body",
                "bad_period",
                "bad_coordinates",
                "bad_accuracy",
                "unknown_district",
                "bad_capacity",
                "bad_sector"
            ]
        );
    }

    #[test]
    fn what_means_the_same_has_the_same_hash() {
        let one = Facts::read(&json!({ "kind": "mine", "name_en": " A  mine ", "aliases": [] })).unwrap();
        let other = Facts::read(&json!({ "name_en": "A mine", "kind": "mine", "name_ur": "" })).unwrap();

        assert_eq!(one.hash().unwrap(), other.hash().unwrap());
    }

    #[test]
    fn a_newer_phone_may_say_more() {
        let facts = Facts::read(&json!({ "kind": "mine", "name_en": "A", "colour": "red" })).unwrap();

        assert_eq!(facts.besides["colour"], "red");
        assert_eq!(serde_json::to_value(&facts).unwrap()["colour"], "red");
    }

    #[test]
    fn a_registration_holds_on_both_its_last_and_first_day() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let licence = Registration {
            body: "mines".into(),
            number: None,
            valid_from: Some(day("2026-01-01")),
            valid_to: Some(day("2026-12-31")),
        };

        assert!(licence.is_valid_on(day("2026-01-01")) && licence.is_valid_on(day("2026-12-31")));
        assert!(!licence.is_valid_on(day("2027-01-01")));
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in [
            json!(null),
            json!([]),
            json!({}),
            json!({ "kind": "castle", "name_en": "x" }),
            json!({ "kind": 3 }),
        ] {
            assert_eq!(Facts::read(&bad).unwrap_err().code, "bad_facility", "{bad}");
        }
    }
}
