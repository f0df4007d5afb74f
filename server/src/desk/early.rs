//! Values of the law against the day of the release that brings them. A limit that would hold from a day before its release would rewrite days that are
//! past: visits of those days were made, and judged, by the limit there was. So it must not, unless the text of its own source was seen and says
//! so; and then it is said aloud.
//!
//! Whatever is decided here, a visit is judged by the release it was filled with: past visits keep the values of their day.

use chrono::NaiveDate;
use form_engine::Package;
use form_engine::overlay::Operation;
use serde_json::{Value, json};

use crate::error::{Error, Result};

/// What is certain: the text of the law was seen.
const SEEN: &str = "H";

/// Refuses a value the Committee sets for days before the release, of which nobody has seen the text.
pub(super) fn must_not_be_early(
    before: Option<&Package>,
    operations: &[Operation],
    effective_from: NaiveDate,
) -> Result<()> {
    let Some(before) = before else { return Ok(()) };
    for operation in operations {
        let Operation::SetParameter(value) = operation else { continue };
        let row = json!({ "key": value.key, "value": value.value, "valid_from": value.valid_from, "area": value.area });
        if is_early(before, &row, effective_from) && value.certainty != SEEN {
            return Err(Error::invalid(
                "parameter_before_release",
                format!(
                    "{} would hold from {}, before the release of {effective_from} that brings it: give it that day or a later one, or \
                     certainty H where the text of its source was seen and says so",
                    value.key, value.valid_from
                ),
            )
            .with("key", value.key.as_str()));
        }
    }
    Ok(())
}

/// What is to be said aloud: every value of a known parameter that would hold before the release that brings it.
pub(super) fn warnings(before: Option<&Package>, package: &Package, effective_from: NaiveDate) -> Vec<Value> {
    let Some(before) = before else { return Vec::new() };
    let early = package.parameters.iter().filter(|row| is_early(before, row, effective_from));
    let said = early.map(|row| {
        let (key, from) = (text(row, "key"), text(row, "valid_from"));
        let detail = format!(
            "{key} would hold from {from}, before the release of {effective_from} that brings it, as its source says; visits filed until then \
             keep the value they were judged by"
        );
        json!({ "code": "parameter_before_release", "detail": detail, "key": key, "valid_from": from })
    });
    said.collect()
}

/// A value the release before has not, of a parameter it has, from a day before.
fn is_early(before: &Package, row: &Value, effective_from: NaiveDate) -> bool {
    let key = text(row, "key");
    let known: Vec<&Value> = before.parameters.iter().filter(|known| text(known, "key") == key).collect();
    let same = |known: &&Value| {
        ["value", "valid_from", "area"]
            .iter()
            .all(|it| known.get(*it).unwrap_or(&Value::Null) == row.get(*it).unwrap_or(&Value::Null))
    };
    let from = text(row, "valid_from").parse::<NaiveDate>();
    !known.is_empty() && !known.iter().any(same) && from.is_ok_and(|from| from < effective_from)
}

fn text<'v>(row: &'v Value, keyword: &str) -> &'v str {
    row.get(keyword).and_then(Value::as_str).unwrap_or_default()
}
