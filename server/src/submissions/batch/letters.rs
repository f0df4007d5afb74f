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

/// Whether a line may be a revision, which must wait for the lines before it.
pub(super) fn may_revise(line: &[u8]) -> bool {
    const MEMBER: &[u8] = b"if_match";
    line.windows(MEMBER.len()).any(|window| window == MEMBER)
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

/// The text of a JSON object without the members of these names; every other member byte for byte as it was. `text` has been
/// read as JSON already.
fn without(text: &[u8], names: &[&str]) -> Vec<u8> {
    let mut scanner = Scanner { text, at: 0 };
    let mut kept = Vec::with_capacity(text.len());
    scanner.skip(b"{");
    kept.push(b'{');
    loop {
        scanner.skip(b",");
        let start = scanner.at;
        if text.get(start) != Some(&b'"') {
            break;
        }
        let name: String = serde_json::from_slice(scanner.value()).unwrap_or_default();
        scanner.skip(b":");
        scanner.value();
        if !names.contains(&&*name) {
            if kept.len() > 1 {
                kept.push(b',');
            }
            kept.extend_from_slice(&text[start..scanner.at]);
        }
    }
    kept.push(b'}');
    kept
}

/// Looks over JSON that is known to be sound.
struct Scanner<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Scanner<'t> {
    /// Passes over white space and these.
    fn skip(&mut self, signs: &[u8]) {
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
    fn what_is_cut_out_leaves_what_the_hash_is_of() {
        let line = r#"{"b": [1, 2], "id":"x", "a":"\\\"", "if_match":"h"}"#;
        let mut value = json::parse(line.as_bytes()).unwrap();
        value.as_object_mut().unwrap().retain(|name, _| !BESIDE.contains(&name.as_str()));

        assert_eq!(json::parse(cut(line).as_bytes()).unwrap(), value);
    }
}
