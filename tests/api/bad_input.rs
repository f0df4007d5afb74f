//! What strangers and broken phones send: stored and judged, kept in quarantine, or refused with a code. Never lost in
//! silence, never half stored, never a panic.

use harness::{Person, TestApp, codes, on_both_databases, samples};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

on_both_databases!(
    an_unknown_release_is_kept_in_quarantine,
    an_envelope_that_cannot_be_read_is_kept_in_quarantine,
    quarantine_is_shown_to_the_administrator_without_answers,
    the_wrong_type_anywhere_is_stored_and_named,
    what_is_not_strict_json_is_refused,
    what_is_too_large_is_refused,
    what_inflates_without_end_is_refused,
    an_id_is_a_uuid,
    coordinates_and_years_beyond_reason_are_taken_and_flagged,
    a_nul_in_a_text_is_stored_on_both_databases,
    mutated_envelopes_never_break_the_server,
);

async fn file_bytes(phone: &Person, body: impl Into<Vec<u8>>) -> harness::Answer {
    phone.put_submission(Uuid::new_v4(), body.into()).await
}

async fn an_unknown_release_is_kept_in_quarantine(app: TestApp) {
    let phone = app.inspector().await;
    let newer = samples::b1().at("version", 9);

    let first = phone.file(&newer).await.accepted();
    let again = phone.file(&newer).await.accepted();
    let other_form = phone.file(&samples::b1().at("form", "no-such-form")).await.accepted();

    assert_eq!(first["verdict"], "quarantined");
    assert_eq!(first["revision"], Value::Null);
    assert_eq!(first["quarantine"]["reason"], "release_unknown");
    assert!(first["receipt"].is_string());
    assert_eq!(again, first);
    assert_eq!(other_form["quarantine"]["reason"], "release_unknown");
    assert_eq!(app.count("quarantine", "true"), 2);
    assert_eq!(app.count("submissions", "true"), 0);
}

async fn an_envelope_that_cannot_be_read_is_kept_in_quarantine(app: TestApp) {
    let phone = app.inspector().await;
    let envelopes = [
        json!({}),
        json!([]),
        json!("an inspection"),
        json!(null),
        samples::b1().at("answers", json!([])).envelope,
        samples::b1().at("answers", "none").envelope,
        samples::b1().at("version", "one").envelope,
        samples::b1().at("version", -1).envelope,
        samples::b1().at("finished_at", "this morning").envelope,
        samples::b1().at("location", "here").envelope,
        samples::b1().at("media", json!([{ "name": "front.jpg" }])).envelope,
    ];
    for envelope in &envelopes {
        let receipt = file_bytes(&phone, envelope.to_string()).await.accepted();
        assert_eq!(receipt["quarantine"]["reason"], "envelope_unreadable", "{envelope}");
    }

    assert_eq!(app.count("quarantine", "true"), envelopes.len() as i64);
    assert_eq!(app.count("submissions", "true"), 0);
}

async fn quarantine_is_shown_to_the_administrator_without_answers(app: TestApp) {
    let (phone, admin) = (app.inspector().await, app.admin().await);
    let newer = samples::b2().at("version", 9);
    phone.file(&newer).await.accepted();

    let list = admin.get("/v1/quarantine").await;
    let kept = list.ok()["items"][0].clone();
    let path = format!("/v1/quarantine/{}/reprocess", kept["id"].as_str().unwrap());
    let still_there = admin.post(&path, &json!({})).await.accepted();

    assert_eq!(kept["submission"], newer.id.to_string());
    assert_eq!(kept["reason"], "release_unknown");
    assert_eq!(kept["size_bytes"], newer.bytes().len());
    assert!(!list.text().contains("Wants to go home"));
    assert_eq!(still_there["verdict"], "quarantined");
    phone.get("/v1/quarantine").await.expect(403);
    phone.post(&path, &json!({})).await.expect(403);
    admin.post("/v1/quarantine/00000000-0000-0000-0000-000000000000/reprocess", &json!({})).await.expect(404);
}

async fn the_wrong_type_anywhere_is_stored_and_named(app: TestApp) {
    let phone = app.inspector().await;
    let wrong = [
        ("wf_m_adult", samples::b1().with("wf_m_adult", "five")),
        ("woman_officer", samples::b1().with("woman_officer", "yes")),
        ("entry", samples::b1().with("entry", 1)),
        ("obstruction", samples::b1().with("obstruction", "none")),
        ("gps", samples::b1().with("gps", "30.2, 67.0")),
        ("gps", samples::b1().with("gps", json!({ "lat": "north", "lon": 67.0 }))),
        ("exterior_photo", samples::b1().with("exterior_photo", "ph-101.jpg")),
        ("visit_date", samples::b1().with("visit_date", 20_261_118)),
        ("children", samples::b2().with("children", json!({ "C1": {} }))),
        ("children[0]", samples::b2().with("children[0]", "a child")),
        ("children[0].age_years", samples::b2().with("children[0].age_years", "thirteen")),
        ("b1", samples::b1().with("b1", "a section")),
    ];
    for (path, inspection) in wrong {
        let receipt = phone.file(&inspection).await.created();
        let named = receipt["violations"].as_array().unwrap();
        let at_path = |it: &&Value| {
            it["path"].as_str().is_some_and(|at| at == path || at.starts_with(&format!("{path}.")))
        };
        assert_eq!(receipt["verdict"], "invalid", "{path}");
        assert!(
            named.iter().any(|it| at_path(&it)),
            "{path} is not named in {:?}",
            codes(&receipt["violations"])
        );
    }
}

async fn what_is_not_strict_json_is_refused(app: TestApp) {
    let phone = app.inspector().await;
    let deep = |levels: usize| format!("{{\"answers\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    let whole = samples::b1().bytes();
    let refused: [(&str, Vec<u8>); 9] = [
        ("not_json", b"".to_vec()),
        ("not_json", b"form=child-labour-inspection".to_vec()),
        ("not_json", whole[..whole.len() / 2].to_vec()),
        ("not_json", [whole.as_slice(), b"{}"].concat()),
        ("not_json", br#"{"form":"f","version":1e400}"#.to_vec()),
        ("not_utf8", b"{\"form\":\"\xff\xfe\"}".to_vec()),
        ("json_too_deep", deep(64).into_bytes()),
        ("json_too_deep", deep(100_000).into_bytes()),
        ("json_duplicate_key", br#"{"form":"f","form":"g"}"#.to_vec()),
    ];
    for (code, body) in refused {
        file_bytes(&phone, body).await.refused(400, code);
    }
    file_bytes(&phone, deep(63)).await.accepted();

    assert_eq!(app.count("quarantine", "true"), 1);
    assert_eq!(app.count("submissions", "true"), 0);
}

async fn what_is_too_large_is_refused(app: TestApp) {
    let phone = app.inspector().await;
    let of_size = |bytes: usize| {
        let with = |note: usize| samples::b1().at("note", "x".repeat(note)).bytes();
        with(bytes - with(0).len())
    };

    file_bytes(&phone, of_size(2 * 1024 * 1024 + 1)).await.refused(413, "body_too_large");
    file_bytes(&phone, of_size(2 * 1024 * 1024)).await.created();
    phone
        .request(Method::POST, "/v1/auth/login")
        .json_bytes(vec![b' '; 100_000])
        .send()
        .await
        .refused(413, "body_too_large");

    assert_eq!(app.count("submissions", "true"), 1);
}

async fn what_inflates_without_end_is_refused(app: TestApp) {
    let phone = app.inspector().await;
    let bomb = zstd::bulk::compress(&vec![b' '; 200 * 1024 * 1024], 3).unwrap();
    let honest = zstd::bulk::compress(&samples::b1().bytes(), 3).unwrap();
    let packed = async |body: Vec<u8>| {
        let request = phone.request(Method::PUT, &format!("/v1/submissions/{}", Uuid::new_v4()));
        request.header("Content-Encoding", "zstd").json_bytes(body).send().await
    };

    assert!(bomb.len() < 100_000, "{}", bomb.len());
    packed(bomb).await.refused(413, "body_too_large");
    packed(b"not packed at all".to_vec()).await.expect(400);
    packed(honest).await.created();

    assert_eq!(app.count("submissions", "true"), 1);
}

async fn an_id_is_a_uuid(app: TestApp) {
    let phone = app.inspector().await;
    for id in [
        "1",
        "not-a-uuid",
        "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f1",
        "%2e%2e",
        "..%2f..%2fetc%2fpasswd",
        "'%20OR%201=1",
    ] {
        let request = phone.request(Method::PUT, &format!("/v1/submissions/{id}"));
        let answer = request.json_bytes(samples::b1().bytes()).send().await;
        assert!([400, 404].contains(&answer.status), "{id}: {} {}", answer.status, answer.text());
    }

    assert_eq!(app.count("submissions", "true"), 0);
}

async fn coordinates_and_years_beyond_reason_are_taken_and_flagged(app: TestApp) {
    let phone = app.inspector().await;
    let odd = [
        samples::b1().fixed_at(95.0, 67.0, 9.0),
        samples::b1().fixed_at(30.0, 300.0, 9.0),
        samples::b1().fixed_at(67.0075, 30.1921, 9.0),
        samples::b1().fixed_at(0.0, 0.0, 0.0),
        samples::b1().fixed_at(30.1921, 67.0075, -1.0),
        samples::b1().fixed_at(30.1921, 67.0075, 1e308),
        samples::b1().fixed_at(1e308, -1e308, 9.0),
        samples::b1().with("visit_date", "1970-01-01"),
        samples::b1().with("visit_date", "2099-12-31"),
        samples::b1().with("visit_date", "2026-02-30"),
        samples::b1().at("finished_at", "9999-12-31T23:59:59+14:00"),
        samples::b1().at("finished_at", "0001-01-01T00:00:00-12:00"),
        samples::b1().at("started_at", "2099-01-01T00:00:00Z"),
        samples::b1().at("device/clock", "1970-01-01T00:00:00Z"),
    ];
    for inspection in odd {
        let answer = phone.file(&inspection).await;
        assert!([201, 400].contains(&answer.status), "{}: {}", answer.status, answer.text());
        if answer.status == 201 {
            phone.get(&format!("/v1/submissions/{}", inspection.id)).await.ok();
        }
    }
}

/// Takes an envelope apart at random, the same way every time.
async fn a_nul_in_a_text_is_stored_on_both_databases(app: TestApp) {
    let phone = app.inspector().await;
    let odd = samples::b2()
        .at("facility", "WP\u{0}1")
        .at("device/id", "phone\u{0}")
        .with("district", "PK\u{0}")
        .with("children[0].child_code", "C\u{0}1");

    let receipt = phone.file(&odd).await.created();
    let unreadable = phone.file(&samples::b1().at("form", "no\u{0}form")).await.accepted();

    assert_eq!(receipt["verdict"], "invalid");
    assert_eq!(unreadable["verdict"], "quarantined");
    let asked_for = phone.get("/v1/submissions?facility=WP%001").await;
    assert!([200, 400].contains(&asked_for.status), "{}", asked_for.text());
    let raw = phone.get(&format!("/v1/submissions/{}/raw", odd.id)).await;
    assert_eq!(raw.expect(200).text().as_bytes(), odd.bytes(), "the bytes are kept as they came");
}

async fn mutated_envelopes_never_break_the_server(app: TestApp) {
    let phone = app.inspector().await;
    let mut noise = Noise(0x2545_F491_4F6C_DD1D);
    for round in 0..150 {
        let mut envelope = if round % 2 == 0 { samples::b1().envelope } else { samples::b2().envelope };
        for _ in 0..=noise.below(4) {
            mutate(&mut envelope, &mut noise);
        }
        let text = envelope.to_string();
        let answer = file_bytes(&phone, text.clone()).await;
        assert!([201, 202, 400, 413].contains(&answer.status), "{} {}\n{text}", answer.status, answer.text());
    }

    app.stranger().get("/readyz").await.ok();
}

struct Noise(u64);

impl Noise {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }

    fn value(&mut self) -> Value {
        let values = [
            json!(null),
            json!(true),
            json!(-1),
            json!(0),
            json!(1e300),
            json!(-0.0),
            json!(9_007_199_254_740_993_i64),
            json!(u64::MAX),
            json!(""),
            json!("x".repeat(5000)),
            json!("\u{0}\u{202e}نگران"),
            json!([]),
            json!([[[]]]),
            json!({}),
            json!({ "media": "../x" }),
            json!("9999-99-99"),
        ];
        values[self.below(values.len())].clone()
    }
}

fn mutate(value: &mut Value, noise: &mut Noise) {
    let here = noise.below(4) == 0;
    match value {
        Value::Object(members) if !members.is_empty() && !here => {
            let name = members.keys().nth(noise.below(members.len())).cloned().unwrap();
            match noise.below(8) {
                0 => drop(members.shift_remove(&name)),
                1 => drop(members.insert(format!("{name}_"), noise.value())),
                _ => mutate(&mut members[&name], noise),
            }
        }
        Value::Array(items) if !items.is_empty() && !here => {
            let at = noise.below(items.len());
            match noise.below(6) {
                0 => items.push(items[at].clone()),
                1 => drop(items.remove(at)),
                _ => mutate(&mut items[at], noise),
            }
        }
        other => *other = noise.value(),
    }
}
