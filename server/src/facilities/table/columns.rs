//! The columns, in the order they are written in, and what stands in them.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::cells::{joined, masked, parts, plain, safe, unmasked, values};
use super::report::LineProblem;
use crate::error::Result;
use crate::facilities::facts::{Contact, Facts, Link, Operator, Position, Registration};
use crate::facilities::kinds::FacilityKind;
use crate::facilities::model::{Facility, FacilityId, Status};
use crate::places;

/// Every column.
pub(super) const COLUMNS: &[&str] = &[
    "id",
    "code",
    "kind",
    "status",
    "name_en",
    "name_ur",
    "aliases",
    "district",
    "lat",
    "lon",
    "accuracy_m",
    "fixed_at",
    "address",
    "capacity",
    "sector",
    "registrations",
    "links",
    "operator_code",
    "operator_name",
    "ownership",
    "contact_name",
    "contact_phone",
];

/// A line's own words, by column.
pub(super) struct Cells<'l> {
    pub(super) line: u64,
    pub(super) cells: BTreeMap<&'static str, &'l str>,
    pub(super) problems: Vec<LineProblem>,
}

impl<'l> Cells<'l> {
    /// The text in a column, unless it is empty.
    pub(super) fn text(&self, column: &str) -> Option<&'l str> {
        self.cells.get(column).map(|cell| plain(cell.trim()).trim()).filter(|text| !text.is_empty())
    }

    fn owned(&self, column: &str) -> Option<String> {
        self.text(column).map(str::to_owned)
    }

    /// Notes what is wrong in a column.
    pub(super) fn problem(&mut self, column: &str, code: &'static str, message: impl Into<String>) {
        let column = Some(column.to_owned());
        self.problems.push(LineProblem { line: self.line, column, code, message: message.into() });
    }

    /// What stands in a column, read; what cannot be read is noted.
    pub(super) fn read<T>(
        &mut self,
        column: &str,
        code: &'static str,
        wanted: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(column)?;
        let value = read(text);
        if value.is_none() {
            self.problem(column, code, format!("{text:?} is not {wanted}"));
        }
        value
    }

    fn number(&mut self, column: &str) -> Option<f64> {
        self.read(column, "bad_number", "a number", |text| {
            text.parse().ok().filter(|number: &f64| number.is_finite())
        })
    }

    /// The facts a line states; none: not even its kind can be read.
    pub(super) fn facts(&mut self) -> Option<Facts> {
        if self.text("kind").is_none() {
            self.problem("kind", "kind_missing", "say what kind of place it is: brick_kiln, orphanage …");
        }
        let kind =
            self.read("kind", "unknown_kind", "a kind of facility", |text| FacilityKind::parse(text).ok());
        let district =
            self.read("district", "unknown_district", "a district's code or English name", district);
        let position = self.position();
        let capacity = self.read("capacity", "bad_number", "a whole number", |text| text.parse().ok());
        let registrations = self.registrations();
        let links = self.links();
        let operator = Operator {
            code: self.owned("operator_code"),
            name: self.owned("operator_name"),
            ownership: self.owned("ownership"),
        };
        let contact = Contact { name: self.owned("contact_name"), phone: self.owned("contact_phone") };
        Some(Facts {
            kind: kind?,
            name_en: self.owned("name_en"),
            name_ur: self.owned("name_ur"),
            aliases: self
                .text("aliases")
                .map(|cell| values(cell).map(unmasked).collect())
                .unwrap_or_default(),
            registrations,
            operator: (operator != Operator { code: None, name: None, ownership: None }).then_some(operator),
            links,
            position,
            district,
            address: self.owned("address"),
            capacity,
            sector: self.owned("sector"),
            contact: (contact != Contact { name: None, phone: None }).then_some(contact),
            besides: serde_json::Map::new(),
        })
    }

    fn position(&mut self) -> Option<Position> {
        let (lat, lon) = (self.number("lat"), self.number("lon"));
        let accuracy_m = self.number("accuracy_m");
        let fixed_at = self.read("fixed_at", "bad_date", "an instant (RFC 3339)", |text| text.parse().ok());
        match (self.text("lat"), self.text("lon")) {
            (Some(_), None) | (None, Some(_)) => {
                self.problem("lat", "bad_coordinates", "lat and lon come together, or not at all");
            }
            _ => {}
        }
        Some(Position { lat: lat?, lon: lon?, accuracy_m, fixed_at })
    }

    fn registrations(&mut self) -> Vec<Registration> {
        let cell = self.text("registrations").unwrap_or_default();
        let mut registrations = Vec::new();
        for value in values(cell) {
            let parts: Vec<String> = value.split(';').map(|part| unmasked(part.trim())).collect();
            let part = |at: usize| parts.get(at).filter(|part| !part.is_empty()).cloned();
            let (from, to) = (date(part(2)), date(part(3)));
            match (parts.len(), from, to) {
                (1..=4, Some(valid_from), Some(valid_to)) => {
                    registrations.push(Registration {
                        body: parts[0].clone(),
                        number: part(1),
                        valid_from,
                        valid_to,
                    });
                }
                (1..=4, _, _) => {
                    self.problem(
                        "registrations",
                        "bad_date",
                        format!("{value:?}: a date is written 2026-12-31"),
                    );
                }
                _ => self.problem(
                    "registrations",
                    "bad_registration",
                    format!("{value:?} is not body;number;valid_from;valid_to"),
                ),
            }
        }
        registrations
    }

    fn links(&mut self) -> Vec<Link> {
        let cell = self.text("links").unwrap_or_default();
        let mut links = Vec::new();
        for value in values(cell) {
            let link = value.split_once(';').and_then(|(relation, facility)| {
                Some(Link {
                    relation: relation.trim().parse().ok()?,
                    facility: facility.trim().parse().ok()?,
                })
            });
            match link {
                Some(link) => links.push(link),
                None => self.problem(
                    "links",
                    "bad_link",
                    format!("{value:?} is not relation;id, such as same_owner;0190…"),
                ),
            }
        }
        links
    }
}

/// None: it cannot be read.
fn date(text: Option<String>) -> Option<Option<NaiveDate>> {
    match text {
        None => Some(None),
        Some(text) => text.parse().ok().map(Some),
    }
}

fn district(text: &str) -> Option<String> {
    let by_code = places::district(text).map(|_| text.to_owned());
    by_code.or_else(|| {
        let called = places::district_called(text)?;
        places::district(called).map(|_| called.to_owned())
    })
}

/// A facility as a line, in the order of [`COLUMNS`]; contacts and operators' names only where they are wanted.
pub(super) fn line(row: &Facility, people: bool) -> Result<Vec<String>> {
    let facts = row.facts()?;
    let position = facts.position.as_ref();
    let day = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
    let registration = |it: &Registration| {
        parts(&[&it.body, it.number.as_deref().unwrap_or_default(), &day(it.valid_from), &day(it.valid_to)])
    };
    let link = |it: &Link| format!("{};{}", it.relation, it.facility);
    let operator = facts.operator.as_ref();
    let contact = facts.contact.as_ref().filter(|_| people);
    let number = |number: Option<f64>| number.map(|number| number.to_string());
    let cells: [Option<String>; 22] = [
        Some(row.id.to_string()),
        Some(row.code.clone()),
        Some(row.kind.clone()),
        Some(row.status.to_string()),
        facts.name_en.clone(),
        facts.name_ur.clone(),
        Some(joined(facts.aliases.iter().map(|alias| masked(alias)))),
        row.district.clone(),
        number(row.lat),
        number(row.lon),
        number(row.accuracy_m),
        position.and_then(|it| it.fixed_at).map(|at| at.to_rfc3339()),
        facts.address.clone(),
        row.capacity.map(|count| count.to_string()),
        facts.sector.clone(),
        Some(joined(facts.registrations.iter().map(registration))),
        Some(joined(facts.links.iter().map(link))),
        operator.and_then(|it| it.code.clone()),
        operator.filter(|_| people).and_then(|it| it.name.clone()),
        operator.and_then(|it| it.ownership.clone()),
        contact.and_then(|it| it.name.clone()),
        contact.and_then(|it| it.phone.clone()),
    ];
    Ok(cells.into_iter().map(|cell| safe(&cell.unwrap_or_default())).collect())
}

/// The id, code and standing a line states.
#[derive(Clone, Debug, Default)]
pub(super) struct Stated {
    pub(super) id: Option<FacilityId>,
    pub(super) code: Option<String>,
    pub(super) status: Option<Status>,
}

impl Stated {
    pub(super) fn of(cells: &mut Cells) -> Stated {
        let standing = |text: &str| text.parse().ok().filter(|status| *status != Status::Merged);
        Stated {
            id: cells.read("id", "bad_id", "a UUID", |text| text.parse().ok()),
            code: cells.read("code", "bad_code", "a code: letters, digits and hyphens, at most 32", code),
            status: cells.read("status", "bad_status", "provisional, active or closed", standing),
        }
    }
}

fn code(text: &str) -> Option<String> {
    let code = text.to_uppercase();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    ((3..=32).contains(&code.len()) && code.bytes().all(allowed)).then_some(code)
}
