//! Legal and standard numbers with their dates and areas, and the baseline figures. Never a number in a rule.

use super::Constant;
use super::lists::read_date;
use super::reader::Reader;
use crate::codes::Code;
use chrono::{Datelike, NaiveDate};
use serde_json::{Map, Value};

/// One parameter: every value it has had, anywhere.
pub(crate) struct Parameter {
    pub(crate) key: String,
    rows: Vec<Row>,
}

struct Row {
    value: Constant,
    valid_from: Option<NaiveDate>,
    valid_to: Option<NaiveDate>,
    area: Option<String>,
}

impl Row {
    fn is_in_force(&self, on: NaiveDate) -> bool {
        self.valid_from.is_none_or(|from| from <= on) && self.valid_to.is_none_or(|to| on < to)
    }
}

/// How close an area is to the visit: everywhere 0, then one more for each step inward. None: elsewhere.
fn closeness(area: Option<&String>, area_chain: &[String]) -> Option<usize> {
    match area {
        None => Some(0),
        Some(area) => area_chain.iter().rposition(|code| code == area).map(|place| place + 1),
    }
}

impl Parameter {
    /// The value in force on that day: the row of the narrowest area of the visit wins, then the latest.
    pub(crate) fn in_force(&self, on: NaiveDate, area_chain: &[String]) -> &Constant {
        let candidates = self.rows.iter().filter(|row| row.is_in_force(on));
        candidates
            .filter_map(|row| Some(((closeness(row.area.as_ref(), area_chain)?, row.valid_from), row)))
            .max_by_key(|(rank, _)| *rank)
            .map_or(&Constant::Unknown, |(_, row)| &row.value)
    }

    /// Every value it has had.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Constant> {
        self.rows.iter().map(|row| &row.value)
    }

    /// Whether some value holds everywhere without an end: then rules may count on it.
    pub(crate) fn is_lasting(&self) -> bool {
        self.rows.iter().any(|row| row.area.is_none() && row.valid_to.is_none())
    }
}

/// Gathers parameter rows by key, in order of first appearance.
pub(crate) fn read_parameters(reader: &mut Reader<'_>, rows: &[Value]) -> Vec<Parameter> {
    let mut parameters: Vec<Parameter> = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        let pointer = format!("/parameters/{place}");
        let Some((key, row)) = read_row(reader, &pointer, row) else { continue };
        match parameters.iter_mut().find(|parameter| parameter.key == key) {
            Some(parameter) => parameter.rows.push(row),
            None => parameters.push(Parameter { key, rows: vec![row] }),
        }
    }
    parameters
}

fn read_row(reader: &mut Reader<'_>, pointer: &str, row: &Value) -> Option<(String, Row)> {
    let empty = Map::new();
    let fields = row.as_object().unwrap_or(&empty);
    let key = fields.get("key").and_then(Value::as_str).unwrap_or_default();
    let value = fields.get("value").map_or(Constant::Unknown, Constant::from_json);
    if key.is_empty() || value == Constant::Unknown {
        reader.problem(
            pointer,
            Code::ParameterIncomplete,
            "a parameter row has no key or no value".to_owned(),
            "give it a `key` and a `value`",
        );
        return None;
    }
    let row = Row {
        value,
        valid_from: read_date(reader, pointer, fields, "valid_from"),
        valid_to: read_date(reader, pointer, fields, "valid_to"),
        area: fields.get("area").and_then(Value::as_str).map(str::to_owned),
    };
    Some((key.to_owned(), row))
}

/// One baseline figure: what earlier exercises counted, by area and year.
pub(crate) struct Baseline {
    pub(crate) key: String,
    rows: Vec<Figure>,
}

struct Figure {
    value: Constant,
    year: i64,
    area: Option<String>,
}

impl Baseline {
    /// The figure to compare with: that of the narrowest area of the visit, then the latest year not after it. A figure that stands
    /// alone is compared with everywhere.
    pub(crate) fn in_force(&self, on: NaiveDate, area_chain: &[String]) -> &Constant {
        if let [only] = self.rows.as_slice() {
            return &only.value;
        }
        let candidates = self.rows.iter().filter(|row| row.year <= i64::from(on.year()));
        candidates
            .filter_map(|row| Some(((closeness(row.area.as_ref(), area_chain)?, row.year), row)))
            .max_by_key(|(rank, _)| *rank)
            .map_or(&Constant::Unknown, |(_, row)| &row.value)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &Constant> {
        self.rows.iter().map(|row| &row.value)
    }

    /// Whether there is a figure for every visit.
    pub(crate) fn is_lasting(&self) -> bool {
        self.rows.len() == 1 && self.rows.iter().all(|row| row.value != Constant::Unknown)
    }
}

/// Gathers baseline figures by key, in order of first appearance.
pub(crate) fn read_baselines(reader: &mut Reader<'_>, rows: &[Value]) -> Vec<Baseline> {
    let mut baselines: Vec<Baseline> = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        let key = row.get("key").and_then(Value::as_str).unwrap_or_default();
        let figure = Figure {
            value: row.get("value").map_or(Constant::Unknown, Constant::from_json),
            year: row.get("year").and_then(Value::as_i64).unwrap_or(i64::MIN),
            area: row.get("area").and_then(Value::as_str).map(str::to_owned),
        };
        let known = baselines.iter().position(|baseline| baseline.key == key);
        let twice = known.is_some_and(|known| {
            baselines[known].rows.iter().any(|row| row.year == figure.year && row.area == figure.area)
        });
        if key.is_empty() || twice {
            reader.problem(
                &format!("/baselines/{place}"),
                Code::BaselineKey,
                format!("the baseline {key:?} has no key, or the same area and year as another row"),
                "give each figure a `key`, and each row of a key another area or year",
            );
            continue;
        }
        match known {
            Some(known) => baselines[known].rows.push(figure),
            None => baselines.push(Baseline { key: key.to_owned(), rows: vec![figure] }),
        }
    }
    baselines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::dates::parse_date;
    use serde_json::json;

    fn wage() -> Parameter {
        let mut reader = Reader::for_test();
        let rows = [
            json!({"key": "wage.min", "value": 32000, "valid_from": "2023-07-01", "valid_to": "2024-07-01", "area": null}),
            json!({"key": "wage.min", "value": 37000, "valid_from": "2024-07-01", "valid_to": null, "area": null}),
            json!({"key": "wage.min", "value": 40000, "valid_from": "2024-07-01", "valid_to": null, "area": "QUETTA"}),
        ];
        read_parameters(&mut reader, &rows).remove(0)
    }

    #[test]
    fn the_law_of_the_day_and_of_the_place_is_used() {
        let on = |date: &str| parse_date(date).unwrap();
        let quetta = ["PK2".to_owned(), "QUETTA".to_owned()];

        assert_eq!(wage().in_force(on("2024-06-30"), &[]), &Constant::Number(32000.0));
        assert_eq!(wage().in_force(on("2024-07-01"), &[]), &Constant::Number(37000.0));
        assert_eq!(wage().in_force(on("2025-01-01"), &quetta), &Constant::Number(40000.0));
        assert_eq!(wage().in_force(on("2020-01-01"), &quetta), &Constant::Unknown);
    }

    #[test]
    fn a_visit_is_compared_with_the_figure_of_its_place_and_the_latest_year_before_it() {
        let mut reader = Reader::for_test();
        let figure = |value: u32, year: u32, area: Value| json!({"key": "BR_RATE", "value": value, "year": year, "area": area});
        let rows = [
            figure(23, 2012, json!("PK2")),
            figure(31, 2019, json!("PK2")),
            figure(60, 2012, json!("QUETTA")),
            json!({"key": "PRISONS", "value": 11, "year": 2012, "area": "PK2"}),
        ];
        let baselines = read_baselines(&mut reader, &rows);
        let on = |date: &str, chain: &[&str]| {
            let chain: Vec<String> = chain.iter().map(|code| (*code).to_owned()).collect();
            baselines[0].in_force(parse_date(date).unwrap(), &chain).clone()
        };

        assert_eq!(on("2018-12-31", &["PK2"]), Constant::Number(23.0));
        assert_eq!(on("2026-11-20", &["PK2", "PISHIN"]), Constant::Number(31.0));
        assert_eq!(on("2026-11-20", &["PK2", "QUETTA"]), Constant::Number(60.0));
        assert_eq!(on("2026-11-20", &[]), Constant::Unknown);
        assert_eq!(baselines[1].in_force(parse_date("2026-11-20").unwrap(), &[]), &Constant::Number(11.0));
        assert!(reader.problems.is_empty());
    }
}
