//! Stricter limits. Each part is held against what stands there, and refused where it would allow what was not allowed.

use super::super::draft::{Site, Sort};
use super::super::operation::{Choices, Needed, Tightening};
use super::super::refusal::{Outcome, RefusalCode as Code, refused};
use super::{Work, ruled};
use serde_json::{Map, Number, Value, json};

/// What a limit is called, which other keyword limits the same side, and whether a greater one is stricter.
struct Side {
    keyword: &'static str,
    strict: Option<&'static str>,
    greater_is_stricter: bool,
}

const MINIMUM: Side =
    Side { keyword: "minimum", strict: Some("exclusiveMinimum"), greater_is_stricter: true };
const MAXIMUM: Side =
    Side { keyword: "maximum", strict: Some("exclusiveMaximum"), greater_is_stricter: false };

impl Work<'_> {
    pub(super) fn tighten(&mut self, limits: &Tightening) -> Outcome {
        let name = limits.question.as_str();
        let site = self.draft.find(name)?;
        if site.sort == Sort::Section {
            let message = format!("{name} is a section and has no limits of its own");
            return Err(refused(
                Code::DoesNotFit,
                name,
                message,
                "tighten its questions, or add a rule to it",
            ));
        }
        self.draft.unlocked(&site.pointer, name)?;
        if *limits == (Tightening { question: limits.question.clone(), ..Tightening::default() }) {
            let message = format!("nothing is tightened on {name}");
            return Err(refused(Code::ChangesNothing, name, message, "say what is to be stricter"));
        }
        // All parts are looked at before any is written: an operation is applied whole or not at all.
        let mut fields = self.draft.fields(&site.pointer).clone();
        let plainly = self.plainly_required(name, &site);
        numbers(name, &mut fields, limits)?;
        lengths(name, &mut fields, limits)?;
        if let Some(needed) = &limits.required {
            require(name, &mut fields, needed, plainly)?;
        }
        if !limits.without.is_empty() {
            self.fewer_choices(name, &mut fields, &limits.without)?;
        }
        if let Some(check) = &limits.check {
            self.free_check(check)?;
        }
        if let Some(written) = self.draft.write(&site.pointer) {
            *written = fields;
        }
        if let Some(check) = &limits.check {
            self.write_check(&site.pointer, check);
        }
        self.touch(site.pointer);
        Ok(())
    }

    /// Named by the plain `required` of what it stands in.
    pub(super) fn plainly_required(&self, name: &str, site: &Site) -> bool {
        let holder = site.pointer.rsplit_once("/properties/").map_or("", |(holder, _)| holder);
        let required = self.draft.fields(holder).get("required").and_then(Value::as_array);
        required.into_iter().flatten().any(|known| known.as_str() == Some(name))
    }

    /// Offers fewer choices to this question: its list stays as it is.
    fn fewer_choices(&self, name: &str, fields: &mut Map<String, Value>, without: &[String]) -> Outcome {
        let named =
            fields.get("x-choices").and_then(|choices| choices.get("list")?.as_str()).map(str::to_owned);
        let choices = match named {
            _ if fields.contains_key("oneOf") => Choices::Question(name.to_owned()),
            Some(list) => Choices::List(list),
            None => {
                let message = format!("{name} has no choices of a list");
                return Err(refused(Code::DoesNotFit, name, message, "leave `without` out"));
            }
        };
        for code in without {
            self.known_code(&choices, code)?;
        }
        let spelled: Vec<String> = without.iter().map(|code| quoted(code)).collect();
        let narrowed = format!("!(choice.code in [{}])", spelled.join(", "));
        let held = fields.entry("x-choices").or_insert_with(|| json!({}));
        let Some(held) = held.as_object_mut() else { return Ok(()) };
        let filter = match held.get("filter").and_then(Value::as_str) {
            Some(old) if old.contains(&narrowed) => {
                let message = format!("{name} does not offer {} already", without.join(", "));
                return Err(refused(Code::ChangesNothing, name, message, "leave `without` out"));
            }
            Some(old) => format!("({old}) && {narrowed}"),
            None => narrowed,
        };
        held.insert("filter".to_owned(), filter.into());
        Ok(())
    }
}

/// A text as the rule language writes it.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn numbers(name: &str, fields: &mut Map<String, Value>, limits: &Tightening) -> Outcome {
    let is_number = matches!(fields.get("type").and_then(Value::as_str), Some("integer" | "number"));
    for (side, limit) in [(MINIMUM, &limits.minimum), (MAXIMUM, &limits.maximum)] {
        let Some(limit) = limit else { continue };
        if !is_number {
            return Err(unfit(name, side.keyword, "a number"));
        }
        stricter(name, fields, &side, limit)?;
    }
    Ok(())
}

fn lengths(name: &str, fields: &mut Map<String, Value>, limits: &Tightening) -> Outcome {
    let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let has_list = fields.contains_key("oneOf") || fields.contains_key("x-choices");
    let sides = [
        ("minLength", true, limits.min_length, "a text", kind == "string" && !has_list),
        ("maxLength", false, limits.max_length, "a text", kind == "string" && !has_list),
        ("minItems", true, limits.min_items, "rows or several choices", kind == "array"),
        ("maxItems", false, limits.max_items, "rows or several choices", kind == "array"),
    ];
    for (keyword, greater_is_stricter, limit, fit, fits) in sides {
        let Some(limit) = limit else { continue };
        if !fits {
            return Err(unfit(name, keyword, fit));
        }
        stricter(name, fields, &Side { keyword, strict: None, greater_is_stricter }, &Number::from(limit))?;
    }
    Ok(())
}

/// Writes a limit that is stricter than what holds.
fn stricter(name: &str, fields: &mut Map<String, Value>, side: &Side, limit: &Number) -> Outcome {
    let number = |keyword: &str| fields.get(keyword).and_then(Value::as_f64);
    let wanted = limit.as_f64().unwrap_or(f64::NAN);
    let (now, exclusive) = (number(side.keyword), side.strict.and_then(number));
    let narrows = |held: f64, at_least: bool| match side.greater_is_stricter {
        true => wanted > held || at_least && wanted >= held,
        false => wanted < held || at_least && wanted <= held,
    };
    let widens =
        now.filter(|held| !narrows(*held, false)).or(exclusive.filter(|held| !narrows(*held, false)));
    if let Some(held) = widens {
        let keyword = side.keyword;
        let way = if side.greater_is_stricter { "more" } else { "less" };
        let message = format!("{keyword} of {name} is {held}; {limit} would not be stricter");
        return Err(refused(
            Code::WouldWiden,
            name,
            message,
            &format!("tighten only narrows: give {way} than {held}"),
        ));
    }
    fields.insert(side.keyword.to_owned(), Value::Number(limit.clone()));
    Ok(())
}

fn require(name: &str, fields: &mut Map<String, Value>, needed: &Needed, plainly: bool) -> Outcome {
    if fields.get("readOnly").and_then(Value::as_bool) == Some(true) {
        return Err(unfit(name, "required", "a question that is asked"));
    }
    let now = fields.get("x-required");
    let always = plainly && !matches!(now, Some(Value::String(_))) || now == Some(&Value::Bool(true));
    if always {
        let message = format!("{name} must always be answered already");
        return Err(refused(Code::WouldWiden, name, message, "leave `required` out: it cannot be stricter"));
    }
    let written = match (needed, now.and_then(Value::as_str)) {
        (Needed::Always, _) => Value::Bool(true),
        (Needed::When(rule), old) => {
            ruled(name, rule)?;
            match old {
                Some(old) => format!("({old}) || ({rule})").into(),
                None => rule.as_str().into(),
            }
        }
    };
    fields.insert("x-required".to_owned(), written);
    Ok(())
}

fn unfit(name: &str, keyword: &str, fit: &str) -> Box<super::Refusal> {
    let message = format!("{keyword} is for {fit}, which {name} is not");
    refused(Code::DoesNotFit, name, message, "limit what the question has, or add a check")
}
