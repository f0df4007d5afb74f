//! What a phone says of places, findings and visits beside its submissions: register a place, find it, raise and refer a finding, print
//! what the employer may have, take a visit from the pool, and be told when somebody else was faster.

use std::str::FromStr;

use harness::app::{self, Backend, House};
use harness::cases::at;
use harness::{Person, Submission, TestApp, photos, samples};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::recorder::{Body, Recorder};

const PLACE: &str = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f20";
const ANOTHER: &str = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f21";
const VISIT: &str = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f22";

#[test]
fn what_is_said_of_places_findings_and_visits_is_what_the_server_says() {
    app::tell(Backend::Sqlite, House::Plain, |app| async move {
        let made = told(app).await;
        super::fresh("fieldwork.json", &made);
    });
}

async fn told(app: TestApp) -> Value {
    let mut record = Recorder::default();
    let (phone, supervisor) = (app.inspector().await, app.supervisor().await);
    for (person, name) in [(&phone, "inspector"), (&supervisor, "supervisor")] {
        let me = person.get("/v1/me").await.ok();
        record.call(me["id"].as_str().expect("an account has an id"), name);
    }
    registered(&mut record, &phone, &supervisor).await;
    let visit = filed(&phone).await;
    worked(&mut record, &phone, &visit).await;
    sent_on(&mut record, &app, &phone, &visit).await;
    taken(&mut record, &app, &phone, &supervisor).await;
    record.finish()
}

fn kiln(members: Value) -> Value {
    let mut kiln = json!({
        "kind": "brick_kiln", "name_en": "Demo Karim Brick Kiln", "district": "PK226",
        "position": { "lat": 30.1921, "lon": 67.0075, "accuracy_m": 9.0, "fixed_at": "2026-11-20T08:14:02+05:00" },
    });
    for (name, value) in members.as_object().into_iter().flatten() {
        kiln[name] = value.clone();
    }
    kiln
}

async fn registered(record: &mut Recorder, phone: &Person, supervisor: &Person) {
    let (path, another) = (format!("/v1/facilities/{PLACE}"), format!("/v1/facilities/{ANOTHER}"));
    let put = (Method::PUT, path.as_str());
    let note = "A place nobody has registered. The phone made the id, long before there was a network.";
    let first = record.exchange("register", note, phone, put.clone(), &[], Body::Json(kiln(json!({})))).await;
    let tag = first.header("etag").expect("a facility has a tag").to_owned();
    let note = "The answer got lost.";
    record.exchange("register-again", note, phone, put.clone(), &[], Body::Json(kiln(json!({})))).await.ok();
    let note = "Other facts under the same id, and no If-Match.";
    let other = || Body::Json(kiln(json!({ "capacity": 60 })));
    record.exchange("register-other-facts", note, phone, put.clone(), &[], other()).await.expect(409);
    let note = "Until the supervisor has confirmed it, whoever registered it corrects it.";
    let known = [("If-Match", tag.as_str())];
    record.exchange("register-corrected", note, phone, put.clone(), &known, other()).await.created();
    let note = "Coordinates typed the wrong way round: it is kept and told, and not confirmed before they are right.";
    let exchanged = json!({ "lat": 67.0076, "lon": 30.1922, "accuracy_m": 12.0, "fixed_at": "2026-11-20T08:20:00+05:00" });
    let urdu = |position: Value| {
        Body::Json(kiln(json!({ "name_en": null, "name_ur": "کریم بھٹہ خشت", "position": position })))
    };
    let put_another = (Method::PUT, another.as_str());
    let swapped =
        record.exchange("register-swapped", note, phone, put_another.clone(), &[], urdu(exchanged)).await;
    let swapped_tag = swapped.header("etag").expect("a facility has a tag").to_owned();
    let right = json!({ "lat": 30.1922, "lon": 67.0076, "accuracy_m": 12.0, "fixed_at": "2026-11-20T08:20:00+05:00" });
    let note = "Put right; and it may be the place that somebody registered under its English name.";
    let known = [("If-Match", swapped_tag.as_str())];
    record
        .exchange("register-possible-duplicate", note, phone, put_another, &known, urdu(right))
        .await
        .created();
    let note = "Everything that is wrong with it, at once.";
    let wrong = json!({ "kind": "shop", "position": { "lat": 120.0, "lon": 67.0 }, "capacity": -1 });
    let nowhere = (Method::PUT, "/v1/facilities/0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f23");
    record.exchange("register-wrong", note, phone, nowhere, &[], Body::Json(wrong)).await.expect(400);
    let looked_at = json!({ "not_duplicates": [ANOTHER] });
    let confirmed = supervisor.post(&format!("{path}/confirm"), &looked_at).await;
    let tag = confirmed.expect(200).header("etag").expect("a facility has a tag").to_owned();
    let note = "It is confirmed: the supervisor corrects it from here on.";
    let (known, later) = ([("If-Match", tag.as_str())], Body::Json(kiln(json!({ "capacity": 61 }))));
    record.exchange("register-confirmed", note, phone, put, &known, later).await;
    let note = "By a spelling that is nearly right.";
    let search = (Method::GET, "/v1/facilities?q=Karem&limit=5");
    record.exchange("search", note, phone, search, &[], Body::None).await.ok();
}

/// An inspection of the place, with findings.
async fn filed(phone: &Person) -> Submission {
    let mut visit = samples::b3().at("facility", PLACE).with_photo(photos::jpeg("gate.jpg", "conformance"));
    visit.id = Uuid::from_str(VISIT).expect("a UUID");
    phone.file_whole(&visit).await;
    visit
}

/// Names what nobody can foretell of a finding.
fn named(record: &mut Recorder, finding: &Value, name: &str) -> String {
    record.call(finding["id"].as_str().expect("a finding has an id"), name);
    at(finding, "")
}

async fn worked(record: &mut Recorder, phone: &Person, visit: &Submission) {
    let finding = phone.finding(visit.id, "EDU-01").await;
    let path = named(record, &finding, "finding");
    let read = (Method::GET, path.as_str());
    let note = "One finding of the visit: the ETag is the version to act on.";
    let answer = record.exchange("finding", note, phone, read, &[], Body::None).await;
    let tag = answer.header("etag").expect("a finding has a tag").to_owned();
    let known = [("If-Match", tag.as_str())];
    let severity = format!("{path}/severity");
    let grave = || Body::Json(json!({ "severity": "critical", "comment": "He has never been to a school." }));
    let note = "Whoever stood there may raise it.";
    record.exchange("raise", note, phone, (Method::POST, &severity), &known, grave()).await.ok();
    let note = "The page was old by then: read it again.";
    record.exchange("raise-stale", note, phone, (Method::POST, &severity), &known, grave()).await.expect(412);
    let note = "Nobody in the field lowers one.";
    let mild = Body::Json(json!({ "severity": "info", "comment": "It is not so bad." }));
    record.exchange("lower", note, phone, (Method::POST, &severity), &[], mild).await.expect(403);
    let copy = format!("/v1/submissions/{VISIT}/employer-copy");
    let note = "What the employer may be handed. With `?format=html` it prints.";
    record.exchange("employer-copy", note, phone, (Method::GET, &copy), &[], Body::None).await.ok();
}

async fn sent_on(record: &mut Recorder, app: &TestApp, phone: &Person, visit: &Submission) {
    let finding = phone.finding(visit.id, "EDU-01").await;
    let path = at(&finding, "/referrals");
    let part = json!({ "fields": ["age_child_says"], "summary": "wants to go to school" });
    let note = "To whom, on what ground, and the part they need: never the whole visit.";
    let agreed =
        json!({ "body": "cpu", "consent": { "basis": "given", "note": "his mother agreed" }, "part": part });
    let sent =
        record.exchange("refer", note, phone, (Method::POST, &path), &[], Body::Json(agreed)).await.created();
    record.call(sent["id"].as_str().expect("a referral has an id"), "referral");
    let note = "A ground is missing.";
    let groundless = json!({ "body": "edu", "part": part });
    record
        .exchange("refer-groundless", note, phone, (Method::POST, &path), &[], Body::Json(groundless))
        .await
        .expect(400);
    let note = "Without consent or law, for a reason: the supervisor is told, and agrees before it goes out, unless it is due the same day.";
    let reason = json!({ "basis": "override", "note": "she cannot be asked with her employer beside her" });
    let asked = json!({ "body": "police", "consent": reason, "part": { "fields": [], "summary": "must be asked alone" } });
    let bonded = phone.finding(visit.id, "AGE-02").await;
    named(record, &bonded, "other_finding");
    let elsewhere = at(&bonded, "/referrals");
    let asked = record
        .exchange("refer-without-consent", note, phone, (Method::POST, &elsewhere), &[], Body::Json(asked))
        .await
        .created();
    record.call(asked["id"].as_str().expect("a referral has an id"), "other_referral");
    let unit = app.login("case-worker").await;
    let me = unit.get("/v1/me").await.ok();
    record.call(me["id"].as_str().expect("an account has an id"), "case_worker");
    let seen = unit.get(&at(&sent, "")).await.ok();
    let no = json!({ "to": "declined", "reason": "there is no social worker this month" });
    unit.act(&seen, "/transitions", no).await.ok();
    let note = "What became of it.";
    record
        .exchange("referral-declined", note, phone, (Method::GET, &at(&sent, "")), &[], Body::None)
        .await
        .ok();
}

async fn taken(record: &mut Recorder, app: &TestApp, phone: &Person, supervisor: &Person) {
    let wanted = json!({
        "form": "child-labour-inspection", "facility": PLACE, "window": { "due": "2026-11-30" },
        "reason": "The munshi was changed; look again.",
    });
    let wanted = supervisor.post("/v1/assignments", &wanted).await.created();
    let id = wanted["id"].as_str().expect("an assignment has an id");
    record.call(id, "assignment");
    let note = "What waits in the pool, with what is known of the place.";
    record.exchange("visits", note, phone, (Method::GET, "/v1/assignments"), &[], Body::None).await.ok();
    let take = format!("/v1/assignments/{id}/take");
    let nothing = || Body::Json(json!({}));
    let note = "Take it when you mean to go.";
    record.exchange("take", note, phone, (Method::POST, &take), &[], nothing()).await.ok();
    let note = "Its answer got lost.";
    record.exchange("take-again", note, phone, (Method::POST, &take), &[], nothing()).await.ok();
    let colleague = app.inspector_in("PK226").await;
    let note = "Somebody else was faster: drop it at the next sync.";
    record
        .exchange("take-too-late", note, &colleague, (Method::POST, &take), &[], nothing())
        .await
        .expect(409);
}
