//! A value while rules run. Texts are borrowed from the answers, the form or the context; copying a value is cheap.

use super::dates;
use super::number::as_json;
use crate::context::Point;
use crate::definition::{Constant, Kind};
use crate::rules::Type;
use chrono::{DateTime, FixedOffset, NaiveDate};
use serde_json::{Value, json};
use std::rc::Rc;

/// What an expression yields. `Unknown` is a value, not an error.
#[derive(Clone, Debug)]
pub(crate) enum Val<'a> {
    Unknown,
    Bool(bool),
    Number(f64),
    Text(&'a str),
    Made(Rc<str>),
    Date(NaiveDate),
    Time(u16),
    Instant(DateTime<FixedOffset>),
    Point(Rc<Point>),
    /// A media reference, or an object from outside the form.
    Json(&'a Value),
    /// The same, held by the session that was given it.
    Held(Rc<Value>),
    /// Numbers by name.
    Map(Rc<[(&'a str, f64)]>),
    List(Rc<[Val<'a>]>),
    Rows(Rc<[u32]>),
    Row(u32),
}

impl<'a> Val<'a> {
    pub(crate) fn is_known(&self) -> bool {
        !matches!(self, Val::Unknown)
    }

    /// A truth, if it is one and known.
    pub(crate) fn truth(&self) -> Option<bool> {
        if let Val::Bool(truth) = self { Some(*truth) } else { None }
    }

    pub(crate) fn number(&self) -> Option<f64> {
        if let Val::Number(number) = self { Some(*number) } else { None }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Val::Text(text) => Some(text),
            Val::Made(text) => Some(text),
            _ => None,
        }
    }

    /// A date, or the local date of a moment.
    pub(crate) fn date(&self) -> Option<NaiveDate> {
        match self {
            Val::Date(date) => Some(*date),
            Val::Instant(instant) => Some(instant.date_naive()),
            _ => None,
        }
    }

    pub(crate) fn truth_or_unknown(truth: Option<bool>) -> Val<'a> {
        truth.map_or(Val::Unknown, Val::Bool)
    }

    /// Only finite numbers are known: what overflows or divides by zero is unknown.
    pub(crate) fn number_or_unknown(number: Option<f64>) -> Val<'a> {
        number.filter(|number| number.is_finite()).map_or(Val::Unknown, Val::Number)
    }

    pub(crate) fn of_constant(constant: &'a Constant) -> Val<'a> {
        match constant {
            Constant::Unknown => Val::Unknown,
            Constant::Bool(truth) => Val::Bool(*truth),
            Constant::Number(number) => Val::Number(*number),
            Constant::Text(text) => Val::Text(text),
            Constant::Date(date) => Val::Date(*date),
            Constant::Time(time) => Val::Time(*time),
            Constant::Instant(instant) => Val::Instant(*instant),
            Constant::List(items) => Val::List(items.iter().map(Val::of_constant).collect()),
        }
    }

    /// Reads an answer of a kind; none when it is not of that kind.
    pub(crate) fn of_answer(kind: Kind, answer: &'a Value) -> Option<Val<'a>> {
        /// Longest text rules look at, in bytes; no question takes one.
        const LONGEST_TEXT: usize = 64 * 1024;
        let text = || answer.as_str().filter(|text| text.len() <= LONGEST_TEXT);
        match kind {
            Kind::Text | Kind::Choice(_) => text().map(Val::Text),
            Kind::Integer => answer.as_f64().filter(|number| number.fract() == 0.0).map(Val::Number),
            Kind::Number => answer.as_f64().map(Val::Number),
            Kind::Boolean => answer.as_bool().map(Val::Bool),
            Kind::Date => dates::parse_date(text()?).map(Val::Date),
            Kind::Time => dates::parse_time(text()?).map(Val::Time),
            Kind::Instant => dates::parse_instant(text()?).map(Val::Instant),
            Kind::Point => point(answer).map(|point| Val::Point(Rc::new(point))),
            Kind::Media => answer.get("media")?.as_str().map(|_| Val::Json(answer)),
            Kind::Map => None,
            Kind::Choices(_) | Kind::Texts => {
                let codes: Option<Vec<Val<'a>>> =
                    answer.as_array()?.iter().map(|code| code.as_str().map(Val::Text)).collect();
                codes.map(|codes| Val::List(codes.into()))
            }
        }
    }

    /// Reads a value from outside the form as the type a rule expects.
    pub(crate) fn of_outside(ty: &Type, value: &'a Value) -> Val<'a> {
        let text = value.as_str();
        match (ty, value) {
            (_, Value::Null) => Val::Unknown,
            (Type::Date, _) => text.and_then(dates::parse_date).map_or(Val::Unknown, Val::Date),
            (Type::Time, _) => text.and_then(dates::parse_time).map_or(Val::Unknown, Val::Time),
            (Type::Instant, _) => text.and_then(dates::parse_instant).map_or(Val::Unknown, Val::Instant),
            (Type::Point, _) => point(value).map_or(Val::Unknown, |point| Val::Point(Rc::new(point))),
            (_, Value::Bool(truth)) => Val::Bool(*truth),
            (_, Value::Number(number)) => Val::number_or_unknown(number.as_f64()),
            (_, Value::String(text)) if text.is_empty() => Val::Unknown,
            (_, Value::String(text)) => Val::Text(text),
            (_, Value::Array(items)) => {
                Val::List(items.iter().take(1_000).map(|item| Val::of_outside(&Type::Any, item)).collect())
            }
            (_, Value::Object(_)) => Val::Json(value),
        }
    }

    /// The media reference, or the object from outside the form.
    pub(crate) fn object(&self) -> Option<&Value> {
        match self {
            Val::Json(value) => Some(value),
            Val::Held(value) => Some(value),
            _ => None,
        }
    }

    /// The same value, borrowing nothing.
    pub(crate) fn into_owned<'b>(self) -> Val<'b> {
        match self {
            Val::Text(text) => Val::Made(text.into()),
            Val::Json(value) => Val::Held(Rc::new(value.clone())),
            Val::List(items) => Val::List(items.iter().map(|item| item.clone().into_owned()).collect()),
            Val::Unknown | Val::Map(_) => Val::Unknown,
            Val::Bool(truth) => Val::Bool(truth),
            Val::Number(number) => Val::Number(number),
            Val::Made(text) => Val::Made(text),
            Val::Date(date) => Val::Date(date),
            Val::Time(time) => Val::Time(time),
            Val::Instant(instant) => Val::Instant(instant),
            Val::Point(point) => Val::Point(point),
            Val::Held(value) => Val::Held(value),
            Val::Rows(rows) => Val::Rows(rows),
            Val::Row(row) => Val::Row(row),
        }
    }

    /// The value as an answer would be written.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Val::Unknown | Val::Rows(_) | Val::Row(_) => Value::Null,
            Val::Bool(truth) => Value::Bool(*truth),
            Val::Number(number) => as_json(*number),
            Val::Text(text) => Value::String((*text).to_owned()),
            Val::Made(text) => Value::String(text.to_string()),
            Val::Date(date) => Value::String(date.to_string()),
            Val::Time(time) => Value::String(dates::format_time(*time)),
            Val::Instant(instant) => Value::String(instant.to_rfc3339()),
            Val::Point(point) => json!(**point),
            Val::Json(value) => (*value).clone(),
            Val::Held(value) => (**value).clone(),
            Val::Map(numbers) => Value::Object(
                numbers.iter().map(|(name, number)| ((*name).to_owned(), as_json(*number))).collect(),
            ),
            Val::List(items) => Value::Array(items.iter().map(Val::to_json).collect()),
        }
    }
}

fn point(value: &Value) -> Option<Point> {
    let number = |name: &str| value.get(name).and_then(Value::as_f64);
    Some(Point {
        lat: number("lat")?,
        lon: number("lon")?,
        accuracy_m: number("accuracy_m"),
        altitude_m: number("altitude_m"),
    })
}
