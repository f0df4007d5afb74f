//! What a proposed release would have meant, tried on past submissions: predicted on visits made for it, the same to the byte
//! whenever it is asked, and about nobody.

use chrono::Duration;
use form_engine::Package;
use harness::{Person, Submission, TestApp, on_both_databases, samples};
use serde_json::{Map, Value, json};
use server::db::By;
use uuid::Uuid;

on_both_databases!(
    lowering_the_adolescent_threshold_changes_what_was_predicted,
    new_and_dropped_questions_are_counted,
    the_law_of_each_visits_day_is_kept,
    the_last_visit_and_the_filer_are_what_they_were_for_the_filing,
    the_same_question_has_the_same_bytes,
    a_replay_left_in_the_midst_goes_on_to_the_same_bytes,
    nothing_of_a_case_stands_in_a_report,
    only_those_who_may_ask_and_they_see_numbers,
    what_cannot_be_tried_is_refused,
);

on_both_databases!(in WithBoundaries: the_real_inspection_tried_against_itself_changes_nothing);

const FORM: &str = "night-work";

/// A small inspection whose rules are plain: night work under `age.adolescent_max` is a finding.
fn release(version: u32, change: impl FnOnce(&mut Value, &mut Vec<Value>)) -> Package {
    let builtin = server::forms::builtin_packages().unwrap();
    let districts = builtin
        .iter()
        .find_map(|package| package.lists.get("district"))
        .expect("a list of districts")
        .clone();
    let mut definition = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Night work", "type": "object",
        "additionalProperties": false,
        "x-form": { "form": FORM, "version": version, "kind": "inspection", "languages": [{ "code": "en", "dir": "ltr" }] },
        "properties": { "a1": { "type": "object", "title": "Visit", "additionalProperties": false, "properties": {
            "district": { "type": "string", "title": "District", "x-choices": { "list": "district" } },
            "child_name": { "type": "string", "title": "Name", "x-sensitivity": "sensitive" },
            "age": { "type": "integer", "minimum": 0, "title": "Age", "x-required": true },
            "night": { "type": "boolean", "title": "Works at night", "x-required": true },
            "wage": { "type": "integer", "title": "Wage" },
            "years_left": { "type": "integer", "title": "Years left", "readOnly": true,
                "x-calculate": "param.age.adolescent_max - age" }
        } } },
        "x-findings": [{
            "code": "HRS-03", "when": "night && age < param.age.adolescent_max", "severity": "major",
            "title": "Work at night", "basis": [{ "law": "Employment of Children Act 1991", "certainty": "M" }],
            "action": "Stop night work", "due": { "days": 1 }, "refer_to": null, "escalate_to": "supervisor",
            "disclose": true
        }],
        "x-parameters": ["age.adolescent_max"]
    });
    let mut parameters = vec![parameter(18, "2021-05-01")];
    change(&mut definition, &mut parameters);
    Package {
        form: FORM.to_owned(),
        version,
        definition,
        i18n: Map::new(),
        lists: Map::from_iter([("district".to_owned(), districts)]),
        parameters,
        baselines: Vec::new(),
    }
}

fn parameter(value: u32, valid_from: &str) -> Value {
    json!({ "key": "age.adolescent_max", "value": value, "unit": "years", "valid_from": valid_from, "valid_to": null,
        "area": null, "source": "a test", "certainty": "H" })
}

async fn publish(app: &TestApp, package: Package) {
    let services = app.services();
    services.db.write(By::system(), move |tx| server::forms::publish(tx, &package).map(drop)).await.unwrap();
    services.forms.refresh();
}

fn visit(district: &str, age: u32, night: bool) -> Submission {
    visit_on("2026-11-20", district, age, night)
}

/// Of twelve minutes and five answers.
fn visit_on(day: &str, district: &str, age: u32, night: bool) -> Submission {
    Submission {
        id: Uuid::new_v4(),
        envelope: json!({
            "form": FORM, "version": 1, "facility": null, "started_at": format!("{day}T10:00:00+05:00"),
            "finished_at": format!("{day}T10:12:00+05:00"),
            "location": { "lat": 30.1921, "lon": 67.0075, "accuracy_m": 9.0 },
            "answers": { "a1": { "district": district, "child_name": "Zarmina Baloch", "age": age, "night": night, "wage": 4711 } },
            "media": [],
        }),
        photos: Vec::new(),
        expected: Value::Null,
    }
}

/// Seven of 16 and 17 years at night in Quetta, two in Kech; one of 12; three by day.
async fn made_visits(app: &TestApp) {
    let inspector = app.inspector().await;
    let nights = [16, 17, 17, 16, 17, 17, 16].map(|age| visit("PK226", age, true));
    let kech = [16, 17].map(|age| visit("PK211", age, true));
    let others = [
        visit("PK226", 12, true),
        visit("PK226", 17, false),
        visit("PK211", 30, true),
        visit("PK226", 16, false),
    ];
    for visit in nights.iter().chain(&kech).chain(&others) {
        inspector.file(visit).await.created();
    }
}

/// The package as it is sent.
fn sent(package: &Package) -> Value {
    serde_json::to_value(package).unwrap()
}

/// Asks, has it run, and gives the replay with its report.
async fn replayed(app: &TestApp, person: &Person, asked: &Value) -> Value {
    let begun = person.post("/v1/replays", asked).await.created();
    app.run_jobs().await;
    let path = format!("/v1/replays/{}", begun["id"].as_str().unwrap());
    let done = person.get(&path).await.ok();
    assert_eq!(done["state"], "done", "{done}");
    done
}

fn sixteen() -> Package {
    release(2, |_, parameters| parameters[0] = parameter(16, "2021-05-01"))
}

async fn lowering_the_adolescent_threshold_changes_what_was_predicted(app: TestApp) {
    publish(&app, release(1, |_, _| {})).await;
    made_visits(&app).await;
    let member = app.login("committee3").await;

    let done = replayed(&app, &member, &json!({ "package": sent(&sixteen()) })).await;

    let report = &done["report"];
    assert_eq!((&done["done"], &done["total"]), (&json!(13), &json!(13)));
    assert_eq!(report["inputs"]["visits"], 13);
    let rule = &report["findings"][0];
    assert_eq!(rule["rule"], "HRS-03");
    assert_eq!((&rule["before"], &rule["after"]), (&json!(10), &json!(1)), "only the twelve-year-old stays");
    assert_eq!(rule["gained"]["visits"], 0);
    assert_eq!(rule["lost"], json!({ "visits": 9, "districts": { "PK226": 7 }, "elsewhere": 2 }));
    assert_eq!(report["exports"]["values_changed"], json!({ "years_left": 13 }));
    assert_eq!(report["violations"], json!([]));
    assert_eq!(report["verdicts"][0]["visits"]["visits"], 13);
    assert_eq!(report["time"]["questions_more"], 0);
    assert_eq!(report["time"]["seconds_per_answer"], 144.0, "twelve minutes for five answers");
}

async fn new_and_dropped_questions_are_counted(app: TestApp) {
    publish(&app, release(1, |_, _| {})).await;
    made_visits(&app).await;
    let proposed = release(2, |definition, _| {
        let questions = definition["properties"]["a1"]["properties"].as_object_mut().unwrap();
        questions.shift_remove("wage");
        questions.insert(
            "school".to_owned(),
            json!({ "type": "boolean", "title": "At school", "x-required": true }),
        );
        questions.insert(
            "overtime".to_owned(),
            json!({ "type": "boolean", "title": "Overtime", "x-relevant": "night" }),
        );
        questions.insert("shift".to_owned(), json!({ "type": "string", "title": "Shift" }));
    });

    let done = replayed(&app, &app.login("analyst").await, &json!({ "package": sent(&proposed) })).await;

    let report = &done["report"];
    let open = |name: &str| {
        let all = report["unanswered"].as_array().unwrap();
        all.iter().find(|it| it["question"] == name).cloned().unwrap_or_default()
    };
    assert_eq!((&open("school")["required"], &open("school")["asked"]), (&json!(13), &json!(13)));
    assert_eq!(open("school")["label"], "At school");
    assert_eq!(
        (&open("overtime")["required"], &open("overtime")["asked"]),
        (&json!(0), &json!(11)),
        "by night"
    );
    assert_eq!(report["exports"]["columns_added"], json!(["overtime", "school", "shift"]));
    assert_eq!(report["exports"]["columns_removed"], json!(["wage"]));
    assert_eq!(report["exports"]["answers_left_out"], json!({ "wage": 13 }));
    let verdicts = report["verdicts"].as_array().unwrap();
    assert!(verdicts.iter().all(|change| change["after"] == "invalid"), "{verdicts:?}");
    assert_eq!(report["time"]["questions_more"], 2, "three more and one less, in the median");
    assert_eq!(report["time"]["minutes_more"], 4.8);
    let lost = report["violations"].as_array().unwrap();
    assert!(lost.iter().any(|rule| rule["rule"] == "required" && rule["question"] == "school"), "{lost:?}");
}

async fn the_law_of_each_visits_day_is_kept(app: TestApp) {
    publish(&app, release(1, |_, _| {})).await;
    let inspector = app.inspector().await;
    for day in ["2026-11-01", "2026-11-09", "2026-11-10", "2026-11-15", "2026-11-20"] {
        inspector.file(&visit_on(day, "PK226", 17, true)).await.created();
    }
    // The threshold falls on the tenth: what was found before stays found.
    let proposed = release(2, |_, parameters| {
        parameters[0]["valid_to"] = "2026-11-10".into();
        parameters.push(parameter(16, "2026-11-10"));
    });
    let member = app.login("committee2").await;

    let done = replayed(&app, &member, &json!({ "package": sent(&proposed) })).await;
    let of_a_period = json!({
        "package": sent(&proposed),
        "over": { "period": { "from": "2026-11-09T00:00:00+05:00", "to": "2026-11-16T00:00:00+05:00" } }
    });
    let period = replayed(&app, &member, &of_a_period).await;

    let rule = &done["report"]["findings"][0];
    assert_eq!((&rule["before"], &rule["after"], &rule["lost"]["visits"]), (&json!(5), &json!(2), &json!(3)));
    let rule = &period["report"]["findings"][0];
    assert_eq!((&rule["before"], &rule["after"], &rule["lost"]["visits"]), (&json!(3), &json!(1), &json!(2)));
}

async fn the_last_visit_and_the_filer_are_what_they_were_for_the_filing(app: TestApp) {
    publish(&app, release(1, |_, _| {})).await;
    let inspector = app.inspector().await;
    let facility = Uuid::new_v4().to_string();
    let supervisor = app.supervisor().await;
    for day in ["2026-11-01", "2026-11-10", "2026-11-20"] {
        let visit = visit_on(day, "PK226", 17, true).at("facility", facility.clone());
        inspector.file(&visit).await.created();
        // Rules rest on what somebody has accepted.
        let review = format!("/v1/submissions/{}/review", visit.id);
        supervisor.post(&review, &json!({ "action": "accept" })).await.expect(200);
    }
    inspector.file(&visit("PK226", 17, true)).await.created();
    let proposed = release(2, |definition, _| {
        let rule = |code: &str, when: &str| {
            json!({ "code": code, "when": when, "severity": "minor", "title": code, "action": "Look",
                "basis": [{ "law": "Employment of Children Act 1991", "certainty": "M" }], "due": { "days": 7 }, "refer_to": null,
                "escalate_to": "supervisor", "disclose": true })
        };
        let findings = definition["x-findings"].as_array_mut().unwrap();
        findings.push(rule("REC-01", "known(prev.age) && prev.age == age"));
        findings.push(rule("REC-02", "user.role == 'inspector'"));
    });

    let done = replayed(&app, &app.login("committee2").await, &json!({ "package": sent(&proposed) })).await;

    let found = |code: &str| {
        let all = done["report"]["findings"].as_array().unwrap();
        all.iter()
            .find(|rule| rule["rule"] == code)
            .map(|rule| rule["gained"]["visits"].clone())
            .unwrap_or_default()
    };
    assert_eq!(found("REC-01"), 2, "two of the three visits had one before them");
    assert_eq!(found("REC-02"), 4);
}

async fn the_same_question_has_the_same_bytes(app: TestApp) {
    publish(&app, release(1, |_, _| {})).await;
    made_visits(&app).await;
    let member = app.login("committee2").await;
    let over = json!({ "sample": { "size": 6, "seed": 42 } });
    let asked = json!({ "package": sent(&sixteen()), "against": 1, "over": over });
    let first = replayed(&app, &member, &asked).await;
    assert_eq!((&first["total"], &first["report"]["inputs"]["visits"]), (&json!(6), &json!(6)));

    // Later submissions do not count where the instant is named.
    app.clock.advance(Duration::minutes(1));
    app.inspector().await.file(&visit("PK226", 17, true)).await.created();
    let mut again = asked.clone();
    again["through"] = first["through"].clone();
    let second = replayed(&app, &member, &again).await;
    let other_seed = json!({ "sample": { "size": 6, "seed": 43 } });
    let other = replayed(
        &app,
        &member,
        &json!({ "package": sent(&sixteen()), "over": other_seed, "through": first["through"] }),
    )
    .await;

    assert_eq!(first["report"].to_string(), second["report"].to_string());
    assert_eq!(first["report_hash"], second["report_hash"]);
    assert_ne!(first["report"]["inputs"]["mark"], other["report"]["inputs"]["mark"]);
    let listed = member.get(&format!("/v1/replays?package={}", sixteen().hash())).await.ok();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(3));
    assert_eq!(listed["items"][0].get("report"), None);
    assert_eq!(member.get("/v1/replays?limit=2").await.ok()["items"].as_array().map(Vec::len), Some(2));
}

async fn a_replay_left_in_the_midst_goes_on_to_the_same_bytes(app: TestApp) {
    publish(&app, release(1, |_, _| {})).await;
    made_visits(&app).await;
    let member = app.login("committee2").await;
    let asked = json!({ "package": sent(&sixteen()) });
    let whole = replayed(&app, &member, &asked).await;
    let mut again = asked.clone();
    again["through"] = whole["through"].clone();
    let begun = member.post("/v1/replays", &again).await.created();
    let id = begun["id"].as_str().unwrap();
    // As a process leaves it that was killed after its first stretch, of no visits yet.
    let empty = app.text(&format!("SELECT last_id AS text FROM replays WHERE id = '{id}'"));
    assert_eq!(empty, "");
    app.sql(&format!("UPDATE replays SET state = 'running', total = 13 WHERE id = '{id}'")).unwrap();

    app.run_jobs().await;

    let done = member.get(&format!("/v1/replays/{id}")).await.ok();
    assert_eq!(done["report_hash"], whole["report_hash"]);
    assert_eq!(app.count("replay_parts", "n >= 0"), 0, "what a report was added up from is cleared away");
}

async fn nothing_of_a_case_stands_in_a_report(app: TestApp) {
    publish(&app, release(1, |_, _| {})).await;
    let inspector = app.inspector().await;
    let mut ids = Vec::new();
    for n in 0..7 {
        let visit =
            visit("PK226", 17, true).with("child_name", format!("Zarmina {n}")).with("wage", 47_110 + n);
        ids.push(visit.id.to_string());
        inspector.file(&visit).await.created();
    }
    inspector.file(&visit("PK211", 17, true)).await.created();

    let done = replayed(&app, &app.login("committee2").await, &json!({ "package": sent(&sixteen()) })).await;

    let text = done["report"].to_string();
    for secret in ["Zarmina", "4711", "30.19", "67.00", "INS-", "inspector"] {
        assert!(!text.contains(secret), "{secret} stands in {text}");
    }
    assert!(ids.iter().all(|id| !text.contains(id.as_str())));
    assert!(!text.contains("PK211"), "one visit of a district is somebody: {text}");
    let rule = &done["report"]["findings"][0];
    let examples = rule["examples"].as_array().unwrap();
    assert_eq!(examples.len(), 3);
    assert!(examples.iter().all(|example| example["code"].as_str().is_some_and(|code| code.len() == 12)));
    let logged = app.text("SELECT details AS text FROM audit_events WHERE action = 'replay.started'");
    assert!(!logged.contains("Zarmina") && !logged.contains("definition"), "{logged}");
}

async fn only_those_who_may_ask_and_they_see_numbers(app: TestApp) {
    publish(&app, release(1, |_, _| {})).await;
    let asked = json!({ "package": sent(&sixteen()) });
    for username in ["inspector", "supervisor", "admin", "oversight", "case-worker", "log-auditor"] {
        let person = app.login(username).await;
        person.post("/v1/replays", &asked).await.refused(403, "not_permitted");
        person.get("/v1/replays").await.refused(403, "not_permitted");
    }
    let member = app.login("committee4").await;
    let begun = member.post("/v1/replays", &asked).await;
    let replay = begun.created();
    let path = format!("/v1/replays/{}", replay["id"].as_str().unwrap());

    assert_eq!(begun.header("location"), Some(path.as_str()));
    assert_eq!(replay["state"], "waiting");
    app.login("analyst").await.get(&path).await.ok();
    app.login("inspector").await.get(&path).await.expect(403);
    member.get(&format!("/v1/replays/{}", Uuid::new_v4())).await.refused(404, "replay_unknown");
    member.get("/v1/replays/none").await.refused(404, "replay_unknown");
}

async fn what_cannot_be_tried_is_refused(app: TestApp) {
    publish(&app, release(1, |_, _| {})).await;
    let member = app.login("committee2").await;
    let mut unsound = sixteen();
    unsound.definition["x-findings"][0]["when"] = "night && no_such_question".into();
    let package = sent(&sixteen());
    let unknown = {
        let mut package = sixteen();
        package.form = "no-such-form".to_owned();
        package.definition["x-form"]["form"] = "no-such-form".into();
        sent(&package)
    };

    for (asked, status, code) in [
        (json!({ "package": sent(&unsound) }), 400, "form_unsound"),
        (json!({ "package": { "form": 1 } }), 400, "package_unreadable"),
        (json!({ "package": unknown }), 404, "form_unknown"),
        (json!({ "package": package, "against": 9 }), 404, "release_unknown"),
        (json!({ "package": package, "over": { "sample": { "size": 0, "seed": 1 } } }), 400, "sample_size"),
        (
            json!({ "package": package, "over": { "period": { "from": "2026-11-02T00:00:00Z", "to": "2026-11-01T00:00:00Z" } } }),
            400,
            "period_empty",
        ),
        (json!({ "package": package, "unknown": true }), 400, "bad_json"),
        (json!([]), 400, "bad_json"),
    ] {
        member.post("/v1/replays", &asked).await.refused(status, code);
    }
    assert_eq!(app.count("replays", "form = form"), 0);
}

async fn the_real_inspection_tried_against_itself_changes_nothing(app: TestApp) {
    let inspector = app.inspector().await;
    for (_, submission) in samples::all() {
        let answer = inspector.file(&submission).await;
        assert!(matches!(answer.status, 200..=202), "{}", answer.text());
    }
    let builtin = server::forms::builtin_packages().unwrap();
    let mut same = builtin.into_iter().find(|package| package.form == "child-labour-inspection").unwrap();
    same.version = 2;
    same.definition["x-form"]["version"] = 2.into();

    let done = replayed(&app, &app.login("committee2").await, &json!({ "package": sent(&same) })).await;

    let report = &done["report"];
    assert!(report["inputs"]["visits"].as_u64() > Some(10), "{report}");
    for nothing in ["findings", "violations", "unanswered", "scores"] {
        assert_eq!(report[nothing], json!([]), "{nothing}");
    }
    assert!(report["verdicts"].as_array().unwrap().iter().all(|change| change["before"] == change["after"]));
    assert_eq!(report["exports"]["values_changed"], json!({}));
    assert_eq!(report["time"]["questions_more"], 0);
}
