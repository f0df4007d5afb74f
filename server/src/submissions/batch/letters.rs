//! A line is an envelope with its `id`, and `if_match` where it is a revision. What is stored and hashed is the envelope
//! without those two, byte for byte as it came, so that a submission is the same however it was sent.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use crate::accounts::Actor;
use crate::error::{Error, Result};
use crate::json;
use crate::submissions::envelope::Received;
use crate::submissions::ingest::Letter;
use crate::submissions::model::SubmissionId;

/// Members of a line that are not the envelope's.
const BESIDE: [&str; 2] = ["id", "if_match"];

/// Why a line is no letter, and under which id it came, as far as that can be said.
pub(super) struct Refused {
    pub(super) id: Option<String>,
    pub(super) error: Error,
}

/// Reads a line.
pub(super) fn read(filer: &Arc<Actor>, line: &Bytes) -> Result<(Letter, Received), Box<Refused>> {
    let refused = |id: Option<String>, error| Box::new(Refused { id, error });
    let mut envelope = json::parse(line).map_err(|error| refused(None, error))?;
    let Some(members) = envelope.as_object_mut() else {
        return Err(refused(None, no_envelope()));
    };
    let (id, if_match) = (members.shift_remove(BESIDE[0]), members.shift_remove(BESIDE[1]));
    let said = id.as_ref().and_then(Value::as_str).map(str::to_owned);
    let id = submission(id).map_err(|error| refused(said.clone(), error))?;
    let if_match = hash(if_match).map_err(|error| refused(said.clone(), error))?;
    let body = Bytes::from(without(line, &BESIDE));
    let received = Received::of(envelope).map_err(|error| refused(said, error))?;
    Ok((Letter { filer: Arc::clone(filer), id, body, if_match }, received))
}

/// The submission a line is about, without reading all of it; none: it is none that could be filed.
pub(super) fn about(line: &[u8]) -> Option<SubmissionId> {
    let mut members = Members::of(line);
    let id = members.find(|member| member.name == BESIDE[0])?;
    serde_json::from_slice::<String>(id.value).ok()?.parse().ok()
}

fn submission(id: Option<Value>) -> Result<SubmissionId> {
    let text = id.as_ref().and_then(Value::as_str);
    text.and_then(|text| text.parse().ok()).ok_or_else(|| {
        Error::invalid("bad_id", "the line has no `id`, or it is no UUID; a submission's id is one")
    })
}

fn hash(if_match: Option<Value>) -> Result<Option<String>> {
    match if_match {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(hash)) => Ok(Some(hash.trim_matches('"').to_owned())),
        Some(_) => Err(Error::invalid(
            "bad_if_match",
            "`if_match` is the content hash of the revision that is revised",
        )),
    }
}

fn no_envelope() -> Error {
    Error::invalid("not_an_envelope", "a line is one JSON object: an envelope with its `id`")
}

/// The text of a JSON object without the members of these names; every other member byte for byte as it was.
fn without(text: &[u8], names: &[&str]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(text.len());
    kept.push(b'{');
    for member in Members::of(text).filter(|member| !names.contains(&&*member.name)) {
        if kept.len() > 1 {
            kept.push(b',');
        }
        kept.extend_from_slice(member.text);
    }
    kept.push(b'}');
    kept
}

/// A member of a JSON object, as it is written.
struct Member<'t> {
    name: String,
    value: &'t [u8],
    /// Name and value.
    text: &'t [u8],
}

/// Looks over the members of an object without reading what is in them. Of what is no sound JSON it says anything, but ends.
struct Members<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Members<'t> {
    fn of(text: &'t [u8]) -> Members<'t> {
        let mut members = Members { text, at: 0 };
        members.pass(b"{");
        members
    }

    /// Passes over white space and this sign.
    fn pass(&mut self, signs: &[u8]) {
        let passes = |byte: &u8| byte.is_ascii_whitespace() || signs.contains(byte);
        self.at += self.text[self.at..].iter().take_while(|byte| passes(byte)).count();
    }

    /// Passes over a string, number, word, list or object, and returns it.
    fn value(&mut self) -> &'t [u8] {
        let start = self.at;
        let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                _ if in_string => {}
                b'{' | b'[' => depth += 1,
                b'}' | b']' | b',' | b':' if depth == 0 => break,
                b'}' | b']' => depth -= 1,
                _ if depth == 0 && byte.is_ascii_whitespace() => break,
                _ => {}
            }
            self.at += 1;
        }
        &self.text[start..self.at]
    }
}

impl<'t> Iterator for Members<'t> {
    type Item = Member<'t>;

    fn next(&mut self) -> Option<Member<'t>> {
        self.pass(b",");
        let start = self.at;
        if self.text.get(start) != Some(&b'"') {
            return None;
        }
        let name = serde_json::from_slice(self.value()).unwrap_or_default();
        self.pass(b":");
        let value = self.value();
        Some(Member { name, value, text: &self.text[start..self.at] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> String {
        String::from_utf8(without(text.as_bytes(), &BESIDE)).unwrap()
    }

    #[test]
    fn the_envelope_is_kept_byte_for_byte() {
        assert_eq!(
            cut(r#"{"id":"x","form":"f","n":1.0,"answers":{"id": "kept", "a\"b":[1,{"if_match":2}]}}"#),
            r#"{"form":"f","n":1.0,"answers":{"id": "kept", "a\"b":[1,{"if_match":2}]}}"#
        );
        assert_eq!(cut(r#" { "a" : "}," , "id":"x" ,"if_match" : null } "#), r#"{"a" : "},"}"#);
        assert_eq!(cut(r#"{"\u0069d":"x","b":[]}"#), r#"{"b":[]}"#);
        assert_eq!(cut(r#"{"id":"x"}"#), "{}");
        assert_eq!(cut("{}"), "{}");
    }

    #[test]
    fn a_line_says_what_it_is_about_before_it_is_read() {
        let id = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10";
        let said = |text: &str| about(text.as_bytes()).map(|id| id.to_string());

        assert_eq!(
            said(&format!(r#"{{"answers":{{"id":"x"}},"id":"{}"}}"#, id.to_uppercase())).as_deref(),
            Some(id)
        );
        for none in ["", "{", "}{", "[\"id\"]", r#"{"id":7}"#, r#"{"id":"#, r#"{"a":]]"id":"x"}"#, "\"\\"] {
            assert_eq!(said(none), None, "{none}");
        }
    }

    #[test]
    fn what_is_cut_out_leaves_what_the_hash_is_of() {
        let line = r#"{"b": [1, 2], "id":"x", "a":"\\\"", "if_match":"h"}"#;
        let mut value = json::parse(line.as_bytes()).unwrap();
        value.as_object_mut().unwrap().retain(|name, _| !BESIDE.contains(&name.as_str()));

        assert_eq!(json::parse(cut(line).as_bytes()).unwrap(), value);
    }
}
