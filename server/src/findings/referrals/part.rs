//! The part of a case that a receiver sees: the answers that were chosen, of the child's own row or of the whole visit,
//! as the submission stands now. What was not chosen, and every other child's row, stays behind.

use serde_json::{Map, Value};

use super::model::Part;
use crate::db::DbConn;
use crate::error::{Error, Result};
use crate::findings::model::{Case, WHOLE_VISIT};
use crate::http::words;
use crate::submissions;

/// How many answers may be chosen.
const MOST_FIELDS: usize = 40;

/// Passes a part whose answers are there.
pub(super) fn check(conn: &mut DbConn, case: &Case, part: Part) -> Result<Part> {
    if part.fields.len() > MOST_FIELDS {
        let why =
            format!("name at most {MOST_FIELDS} questions: a receiver gets what it needs, not the visit");
        return Err(Error::invalid("too_many_fields", why));
    }
    let answers = chosen(conn, case, &part.fields)?;
    let missing: Vec<&str> =
        part.fields.iter().map(String::as_str).filter(|name| !answers.contains_key(*name)).collect();
    if !missing.is_empty() {
        return Err(Error::invalid(
            "fields_unknown",
            format!("there is no answer to {}; name questions that were answered", missing.join(", ")),
        )
        .with("fields", missing));
    }
    Ok(Part { summary: words("part.summary", part.summary)?, ..part })
}

/// The chosen answers as the submission stands now.
pub(super) fn chosen(conn: &mut DbConn, case: &Case, fields: &[String]) -> Result<Map<String, Value>> {
    if fields.is_empty() {
        return Ok(Map::new());
    }
    let Some(judgement) = submissions::judged(conn, &case.submission_id, case.revision)? else {
        return Ok(Map::new());
    };
    let row = row_of(&judgement.answers, &case.subject);
    let found = fields.iter().filter_map(|name| {
        let answer = row.and_then(|row| row.get(name)).or_else(|| of_the_visit(&judgement.answers, name))?;
        Some((name.clone(), answer.clone()))
    });
    Ok(found.collect())
}

/// The row with this key: `x-key` is a code, and codes are unique in a submission.
fn row_of<'a>(answers: &'a Value, subject: &str) -> Option<&'a Value> {
    if subject == WHOLE_VISIT {
        return None;
    }
    let has_key = |row: &&Value| {
        row.as_object().is_some_and(|row| row.values().any(|value| value.as_str() == Some(subject)))
    };
    let sections = answers.as_object()?.values().filter_map(Value::as_object);
    sections.flat_map(|section| section.values()).filter_map(Value::as_array).flatten().find(has_key)
}

/// An answer outside every row. A repeat is no answer.
fn of_the_visit<'a>(answers: &'a Value, name: &str) -> Option<&'a Value> {
    let is_one = |value: &&Value| match value {
        Value::Array(items) => !items.iter().any(Value::is_object),
        _ => true,
    };
    let sections = answers.as_object()?.values().filter_map(Value::as_object);
    sections.filter_map(|section| section.get(name)).find(is_one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_the_childs_own_row_and_the_visit_are_looked_through() {
        let answers = json!({
            "b1": { "landmark": "third incline" },
            "b5": { "children": [
                { "child_code": "C1", "age_years": 13, "task": "tub" },
                { "child_code": "C2", "age_years": 16, "advance_amount": 40000 },
            ] },
        });

        assert_eq!(row_of(&answers, "C1").unwrap()["age_years"], 13);
        assert!(row_of(&answers, "C1").unwrap().get("advance_amount").is_none());
        assert_eq!(row_of(&answers, "C9"), None);
        assert_eq!(of_the_visit(&answers, "landmark"), Some(&json!("third incline")));
        assert_eq!(of_the_visit(&answers, "children"), None);
    }
}
