//! A package as if the values of the law it brings had always been in force. By the law of their own day, a limit from next year on
//! changes nothing about past visits; whoever is asked to decide on it wants to know what it would do to visits like those.

use form_engine::Package;
use serde_json::Value;

/// The package with every value that `before` has not standing alone, from the first day any value of its parameter holds.
pub(super) fn as_if_in_force(before: &Package, mut package: Package) -> Package {
    let brought: Vec<Value> =
        package.parameters.iter().filter(|row| !before.parameters.contains(row)).cloned().collect();
    for mut row in brought {
        let place = |row: &Value| (row.get("key").cloned(), area(row));
        let same = place(&row);
        let days = package.parameters.iter().filter(|other| place(other) == same).filter_map(first_day);
        let first = days.min();
        package.parameters.retain(|other| place(other) != same);
        if let (Some(fields), Some(first)) = (row.as_object_mut(), first) {
            fields.insert("valid_from".to_owned(), first.into());
            fields.insert("valid_to".to_owned(), Value::Null);
        }
        package.parameters.push(row);
    }
    package
}

/// Where a value holds; written out or left out, everywhere is the same.
fn area(row: &Value) -> Option<Value> {
    row.get("area").filter(|area| !area.is_null()).cloned()
}

fn first_day(row: &Value) -> Option<String> {
    row.get("valid_from")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, json};

    fn package(rows: &[Value]) -> Package {
        let definition = json!({ "title": "Visit", "x-form": { "form": "visit", "version": 1 } });
        Package { parameters: rows.to_vec(), ..Package::assemble(definition, Map::new(), &[], &[]) }
    }

    #[test]
    fn a_value_of_next_year_holds_from_the_first_day_and_the_others_stay() {
        let limit = |value: u32, from: &str| json!({ "key": "age", "value": value, "valid_from": from, "valid_to": null });
        let wage = json!({ "key": "wage", "value": 9, "valid_from": "2026-01-01" });
        let (old, new) = (limit(18, "2021-05-01"), limit(16, "2027-01-01"));

        let tried = as_if_in_force(
            &package(&[old.clone(), wage.clone()]),
            package(&[old.clone(), new, wage.clone()]),
        );

        assert_eq!(tried.parameters, [wage, limit(16, "2021-05-01")]);
    }

    #[test]
    fn a_package_that_brings_no_value_is_left_as_it_is() {
        let old = json!({ "key": "age", "value": 18, "valid_from": "2021-05-01" });

        let of_old = package(std::slice::from_ref(&old));
        assert_eq!(as_if_in_force(&of_old, of_old.clone()).parameters, [old]);
    }
}
