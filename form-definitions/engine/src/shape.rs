//! Checks the shape of answers by their plain JSON Schema. The only file that knows the `jsonschema` crate.
//!
//! Each question's own schema is built once; an answer is asked `is_valid` (nanoseconds) and only a wrong one is explained.
//! `x-…` keywords never reach it: what hangs on other answers belongs to the rules.

use crate::codes::BuiltIn;
use crate::messages::shown;
use jsonschema::error::ValidationErrorKind as Wrong;
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;
use std::collections::HashMap;

/// Largest compiled `pattern`, in bytes; patterns run in linear time.
const LARGEST_PATTERN: usize = 1 << 20;
/// Most mistakes told about one answer.
const MOST_MISTAKES: usize = 50;

/// The schema of every question, each different one built once.
#[derive(Default)]
pub(crate) struct Shapes {
    validators: Vec<Validator>,
    by_schema: HashMap<String, usize>,
}

/// A built schema in [`Shapes`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape(usize);

/// One way an answer is out of shape.
#[derive(Debug, PartialEq)]
pub(crate) struct Misfit {
    /// Where within the answer: `.lat`, `[2]`, or nothing.
    pub(crate) path: String,
    /// The built-in violation code.
    pub(crate) code: BuiltIn,
    /// The limit that was crossed, as people read it.
    pub(crate) limit: String,
}

impl Shapes {
    /// Builds a schema, or says why it cannot be.
    pub(crate) fn add(&mut self, schema: &Value) -> Result<Shape, String> {
        let written = schema.to_string();
        if let Some(known) = self.by_schema.get(&written) {
            return Ok(Shape(*known));
        }
        let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
        let options =
            options.with_pattern_options(PatternOptions::regex().size_limit(LARGEST_PATTERN)).offline();
        let validator =
            options.build(schema).map_err(|error| error.to_string().chars().take(300).collect::<String>())?;
        self.validators.push(validator);
        self.by_schema.insert(written, self.validators.len() - 1);
        Ok(Shape(self.validators.len() - 1))
    }

    /// Everything wrong with an answer; nothing when it is in shape.
    pub(crate) fn misfits(&self, shape: Shape, answer: &Value) -> Vec<Misfit> {
        let Some(validator) = self.validators.get(shape.0).filter(|validator| !validator.is_valid(answer))
        else {
            return Vec::new();
        };
        let errors = validator.iter_errors(answer).take(MOST_MISTAKES);
        let mut misfits: Vec<Misfit> = errors
            .map(|error| misfit(error.kind(), error.instance(), error.instance_path().as_str()))
            .collect();
        // A point without latitude and longitude is no point, once.
        misfits.dedup();
        misfits
    }
}

/// Whether the whole definition is JSON Schema 2020-12, as any plain validator sees it.
pub(crate) fn not_a_schema(definition: &Value) -> Option<String> {
    let checked = jsonschema::draft202012::meta::validate(definition);
    checked
        .err()
        .map(|error| format!("{} at {}", error, error.instance_path().as_str()).chars().take(300).collect())
}

fn misfit(wrong: &Wrong, answer: &Value, pointer: &str) -> Misfit {
    let (code, limit) = match wrong {
        Wrong::Format { format } => (BuiltIn::Format, format.clone()),
        Wrong::Pattern { .. } => (BuiltIn::Pattern, String::new()),
        Wrong::Minimum { limit } => (BuiltIn::Range, format!("≥ {limit}")),
        Wrong::Maximum { limit } => (BuiltIn::Range, format!("≤ {limit}")),
        Wrong::ExclusiveMinimum { limit } => (BuiltIn::Range, format!("> {limit}")),
        Wrong::ExclusiveMaximum { limit } => (BuiltIn::Range, format!("< {limit}")),
        Wrong::MultipleOf { multiple_of } => (BuiltIn::Range, format!("× {multiple_of}")),
        Wrong::MaxLength { limit } => (BuiltIn::TooLong, limit.to_string()),
        Wrong::MinLength { limit } => (BuiltIn::TooShort, limit.to_string()),
        Wrong::MaxItems { limit } | Wrong::MaxProperties { limit } => (BuiltIn::TooMany, limit.to_string()),
        Wrong::MinItems { limit } | Wrong::MinProperties { limit } => (BuiltIn::TooFew, limit.to_string()),
        Wrong::UniqueItems => (BuiltIn::Duplicate, String::new()),
        Wrong::Enum { .. } | Wrong::Constant { .. } => (BuiltIn::Choice, shown(answer)),
        _ => (BuiltIn::Type, String::new()),
    };
    Misfit { path: dotted(pointer), code, limit }
}

/// `/age_evidence/2` as `.age_evidence[2]`.
fn dotted(pointer: &str) -> String {
    let mut path = String::new();
    for part in pointer.split('/').skip(1) {
        let part: String = part.replace("~1", "/").replace("~0", "~").chars().take(64).collect();
        if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            path.push_str(&format!("[{part}]"));
        } else {
            path.push_str(&format!(".{part}"));
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn code(schema: Value, answer: Value) -> Vec<String> {
        let mut shapes = Shapes::default();
        let shape = shapes.add(&schema).unwrap();
        let misfits = shapes.misfits(shape, &answer);
        misfits
            .into_iter()
            .map(|misfit| format!("{}{}", misfit.path, [" ", misfit.code.as_str()].concat()))
            .collect()
    }

    #[test]
    fn every_way_to_be_out_of_shape_has_a_code() {
        let text = json!({"type": "string", "maxLength": 3, "pattern": "^[a-z]+$"});
        let point = json!({"$ref": "#/$defs/geopoint", "$defs": {"geopoint": {"type": "object", "required": ["lat"], "properties": {"lat": {"type": "number", "maximum": 90}}}}});
        let codes = json!({"type": "array", "items": {"type": "string"}, "uniqueItems": true});

        assert_eq!(code(text.clone(), json!("abc")), Vec::<String>::new());
        assert_eq!(code(text.clone(), json!(7)), [" type"]);
        assert_eq!(code(text, json!("ABCD")), [" too_long", " pattern"]);
        assert_eq!(code(point.clone(), json!({"lat": 95})), [".lat range"]);
        assert_eq!(code(point, json!({})), [" type"]);
        assert_eq!(code(codes.clone(), json!(["a", "a"])), [" duplicate"]);
        assert_eq!(code(codes, json!(["a", 3])), ["[1] type"]);
        assert_eq!(code(json!({"type": "string", "format": "date"}), json!("2026-02-30")), [" format"]);
    }

    #[test]
    fn references_leave_the_machine_for_nobody() {
        let mut shapes = Shapes::default();

        assert!(shapes.add(&json!({"$ref": "http://example.org/schema.json"})).is_err());
        assert!(shapes.add(&json!({"$ref": "file:///etc/passwd"})).is_err());
    }

    #[test]
    fn the_same_schema_is_built_once() {
        let mut shapes = Shapes::default();
        let first = shapes.add(&json!({"type": "boolean"})).unwrap();
        let second = shapes.add(&json!({"type": "boolean"})).unwrap();

        assert_eq!(first.0, second.0);
    }
}
