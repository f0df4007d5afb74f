//! The canonical form of JSON (RFC 8785) of every submission that comes in. The library that writes it elsewhere takes a
//! tenth of a filing's time, since it writes each member apart and sorts them afterwards; here the keys are sorted first
//! and everything is written once. Numbers that are no small whole ones are left to the library, and the tests hold the
//! whole against it.

use std::io::Write as _;

use serde_json::{Map, Number, Value};

/// Whole numbers up to this are the same in a double, and written alike by everybody.
const WHOLE: u64 = 1 << 53;

/// The canonical form of `value`.
///
/// # Errors
/// When it has a number no double can hold.
pub(crate) fn to_vec(value: &Value) -> serde_json::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(2048);
    write(value, &mut out)?;
    Ok(out)
}

fn write(value: &Value, out: &mut Vec<u8>) -> serde_json::Result<()> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_number(number, out)?,
        // The escapes are the same: the short ones where there are any, `\u00xx` in lower case for other control characters.
        Value::String(text) => serde_json::to_writer(out, text)?,
        Value::Array(items) => write_list(items, out)?,
        Value::Object(members) => write_members(members, out)?,
    }
    Ok(())
}

fn write_number(number: &Number, out: &mut Vec<u8>) -> serde_json::Result<()> {
    if number.as_i64().is_some_and(|whole| whole.unsigned_abs() <= WHOLE) {
        return write!(out, "{number}").map_err(serde_json::Error::io);
    }
    serde_json_canonicalizer::to_writer(number, out)
}

fn write_list(items: &[Value], out: &mut Vec<u8>) -> serde_json::Result<()> {
    out.push(b'[');
    for (n, item) in items.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        write(item, out)?;
    }
    out.push(b']');
    Ok(())
}

fn write_members(members: &Map<String, Value>, out: &mut Vec<u8>) -> serde_json::Result<()> {
    let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
    // By UTF-16 code units, which for ASCII is the order of the bytes.
    match sorted.iter().all(|(key, _)| key.is_ascii()) {
        true => sorted.sort_unstable_by_key(|(key, _)| *key),
        false => sorted.sort_unstable_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16())),
    }
    out.push(b'{');
    for (n, (key, value)) in sorted.into_iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        serde_json::to_writer(&mut *out, key)?;
        out.push(b':');
        write(value, out)?;
    }
    out.push(b'}');
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// What the library writes.
    fn expected(value: &Value) -> String {
        String::from_utf8(serde_json_canonicalizer::to_vec(value).unwrap()).unwrap()
    }

    fn written(value: &Value) -> String {
        String::from_utf8(to_vec(value).unwrap()).unwrap()
    }

    #[test]
    fn keys_stand_in_the_order_of_utf_16() {
        let value =
            json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7});

        assert_eq!(written(&value), expected(&value));
        assert!(written(&value).find('\u{1f600}') < written(&value).find('\u{fb33}'));
    }

    #[test]
    fn numbers_and_text_are_written_as_the_standard_has_them() {
        let value = json!([
            0, -0.0, 1.0, 1e21, 1e-7, 333_333_333.333_333_3, 4.50, 9007199254740992_i64, 9007199254740993_i64,
            -9007199254740993_i64, u64::MAX, 1e30, 2e-3, 0.000000000000000000000000001,
            "\u{20ac}$\u{f}\nA'B\"\\\\\"/\u{7f}\u{2028}", "بلوچستان", null, true, false, {}, [], {"": [{}]}
        ]);

        assert_eq!(written(&value), expected(&value));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1_000_000_i64..1_000_000).prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::btree_map(".{0,6}", inner, 0..8)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn agrees_with_the_library_on_anything(value in any_json()) {
            prop_assert_eq!(written(&value), expected(&value));
        }
    }
}
