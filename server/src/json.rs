//! Strict reading of JSON that strangers send: UTF-8, no key twice in an object, no nesting deeper than told.
//! A key written twice would let two readers of one submission see two different answers.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::error::{Error, Result};

/// The nesting a submission may have.
pub const MAX_DEPTH: usize = 64;

/// Reads `bytes` as one JSON value.
pub fn parse(bytes: &[u8]) -> Result<Value> {
    let text = std::str::from_utf8(bytes).map_err(|cause| {
        Error::invalid(
            "not_utf8",
            format!("the body is not UTF-8: byte {} cannot be read", cause.valid_up_to()),
        )
    })?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict { depth: 0 }.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    value.map_err(|cause| {
        let said = cause.to_string();
        let code = match () {
            _ if said.starts_with(TOO_DEEP) || said.starts_with("recursion limit") => "json_too_deep",
            _ if said.starts_with(TWICE) => "json_duplicate_key",
            _ => "not_json",
        };
        Error::invalid(code, format!("the body cannot be read: {said}"))
    })
}

const TOO_DEEP: &str = "nested deeper than";
const TWICE: &str = "the same key twice";

struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(&self) -> Result<Strict, E> {
        match self.depth {
            MAX_DEPTH => Err(E::custom(format_args!("{TOO_DEEP} {MAX_DEPTH}"))),
            depth => Ok(Strict { depth: depth + 1 }),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.deeper()?)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(self.deeper()?)?;
            if map.contains_key(&key) {
                return Err(A::Error::custom(format_args!("{TWICE}: {key:?}")));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &[u8]) -> &'static str {
        parse(text).unwrap_err().code
    }

    #[test]
    fn reads_what_json_is() {
        assert_eq!(
            parse(br#"{"a":[1,-2,3.5,"x",true,null]}"#).unwrap(),
            serde_json::json!({"a":[1,-2,3.5,"x",true,null]})
        );
    }

    #[test]
    fn refuses_what_two_readers_could_read_differently() {
        assert_eq!(code(br#"{"a":1,"b":{"c":1,"c":2}}"#), "json_duplicate_key");
        assert_eq!(code(b"{\"a\":\"\xff\"}"), "not_utf8");
        assert_eq!(code(br#"{"a":1} {"#), "not_json");
        assert_eq!(code(br#"{"a":1e999}"#), "not_json");
    }

    #[test]
    fn refuses_nesting_deeper_than_the_limit() {
        let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();

        assert!(parse(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(code(&nested(MAX_DEPTH + 1)), "json_too_deep");
        assert_eq!(code(&nested(100_000)), "json_too_deep");
    }
}
