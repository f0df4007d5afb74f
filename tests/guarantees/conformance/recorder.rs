//! Writes down requests and answers as they go by, with what differs from run to run replaced by its name.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use harness::{Answer, Person};
use reqwest::Method;
use serde_json::{Map, Value, json};

/// Headers of an answer that mean something to a phone.
const HEADERS: &[&str] = &[
    "content-type",
    "etag",
    "cache-control",
    "location",
    "retry-after",
    "www-authenticate",
    "tus-resumable",
    "upload-offset",
    "upload-length",
];

/// Members whose values nobody can foretell, wherever they stand.
const VOLATILE: &[&str] = &["access_token", "refresh_token", "request_id", "receipt", "cursor"];

/// What was sent.
pub(super) enum Body<'a> {
    None,
    Json(Value),
    Bytes(&'a str, Vec<u8>),
}

/// The exchanges so far.
#[derive(Default)]
pub(super) struct Recorder {
    exchanges: Vec<Value>,
    /// Values that are known by a name from here on.
    names: BTreeMap<String, String>,
}

impl Recorder {
    /// Has `value` written as `<name>` from here on.
    pub(super) fn call(&mut self, value: &str, name: &str) {
        self.names.insert(value.to_owned(), format!("<{name}>"));
    }

    /// Sends a request and writes down both sides.
    pub(super) async fn exchange(
        &mut self,
        name: &str,
        note: &str,
        person: &Person,
        (method, path): (Method, &str),
        headers: &[(&str, &str)],
        body: Body<'_>,
    ) -> Answer {
        let mut request = person.request(method.clone(), path);
        let mut sent = Map::new();
        if person.token.is_some() {
            sent.insert("authorization".into(), json!("Bearer <access_token>"));
        }
        for (header, value) in headers {
            request = request.header(header, value);
            sent.insert(header.to_lowercase(), json!(value));
        }
        let shown = match body {
            Body::None => Value::Null,
            Body::Json(json) => {
                sent.insert("content-type".into(), json!("application/json"));
                request = request.json_bytes(serde_json::to_vec(&json).expect("JSON can be written"));
                json
            }
            Body::Bytes(kind, bytes) => {
                sent.insert("content-type".into(), json!(kind));
                let shown = shown(kind, &bytes);
                request = request.header("Content-Type", kind).bytes(bytes);
                shown
            }
        };
        let answer = request.send().await;
        let mut exchange = json!({
            "name": name, "note": note,
            "request": { "method": method.as_str(), "path": path, "headers": sent, "body": shown },
            "response": { "status": answer.status, "headers": headers_of(&answer), "body": body_of(&answer) },
        });
        if path.starts_with("/v1/sync") && answer.header("etag").is_some() {
            // It is the cursor's, and the cursor is sealed with the server's own key.
            exchange["response"]["headers"]["etag"] = json!("\"<cursor_tag>\"");
        }
        self.name_in(&mut exchange);
        self.exchanges.push(exchange);
        answer
    }

    /// Everything that was written down; what got its name only later bears it from the beginning.
    pub(super) fn finish(mut self) -> Value {
        let mut exchanges = std::mem::take(&mut self.exchanges);
        exchanges.iter_mut().for_each(|exchange| self.name_in(exchange));
        json!({
            "about": "What a phone says and is answered, in order. `<name>` stands for what differs from run to run; \
                everything else is to the letter. Written by make refresh.",
            "exchanges": exchanges,
        })
    }

    fn name_in(&self, value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (name, member) in members.iter_mut() {
                    match member {
                        Value::String(text) if VOLATILE.contains(&name.as_str()) => {
                            *text = format!("<{name}>")
                        }
                        other => self.name_in(other),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.name_in(item)),
            Value::String(text) => {
                for (known, name) in &self.names {
                    if text.contains(known.as_str()) {
                        *text = text.replace(known, name);
                    }
                }
            }
            _ => {}
        }
    }
}

fn shown(kind: &str, bytes: &[u8]) -> Value {
    match kind {
        "application/x-ndjson" => lines(bytes),
        _ => json!({ "base64": BASE64.encode(bytes) }),
    }
}

fn lines(bytes: &[u8]) -> Value {
    let text = String::from_utf8_lossy(bytes);
    let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| json!({ "not_json": line }));
    Value::Array(text.lines().map(line).collect())
}

fn headers_of(answer: &Answer) -> Value {
    let told = HEADERS.iter().filter_map(|name| Some(((*name).to_owned(), json!(answer.header(name)?))));
    Value::Object(told.collect())
}

fn body_of(answer: &Answer) -> Value {
    match answer.header("content-type") {
        Some("application/x-ndjson") => lines(&answer.bytes),
        _ => serde_json::from_slice(&answer.bytes).unwrap_or(Value::Null),
    }
}
