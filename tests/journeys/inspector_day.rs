//! The day of an inspector and of those behind him: a brick kiln nobody has registered, found without a network, which turns
//! out to be one the register has under its Urdu name; five children in it, two whose ages nobody would say, one who is
//! bonded and must not be told of to the employer; the unit that declines, the clock that passes it on, the question that
//! comes back, the second visit, and the finding that is verified.

use chrono::Duration;
use harness::cases::at;
use harness::{Submission, TestApp, codes, deeds, on_both_databases, samples};
use serde_json::{Value, json};
use uuid::Uuid;

on_both_databases!(a_day_from_the_gate_to_the_verified_finding);

const CODE: &str = "CLI-QTA1-2026-0102";

/// The questionnaire as the province uses it: while an age is missing, a child under 14 at a kiln is provisional, not absent.
async fn publish_with_provisional_ages(app: &TestApp) {
    let packages = server::forms::builtin_packages().unwrap();
    let mut package = packages.into_iter().find(|it| it.form == "child-labour-inspection").unwrap();
    package.version += 1;
    package.definition["x-form"]["version"] = json!(package.version);
    // What could be provisional for four hundred children would be too dear to find out.
    package.definition["properties"]["b5"]["properties"]["children"]["maxItems"] = json!(60);
    for finding in package.definition["x-findings"].as_array_mut().unwrap() {
        if finding["code"] == "AGE-02" {
            finding["if_unknown"] = json!("provisional");
        }
    }
    let services = app.services();
    let publish = move |tx: &mut server::db::Tx| server::forms::publish(tx, &package).map(drop);
    services.db.write(server::db::By::system(), publish).await.unwrap();
}

/// Five children at a kiln where `b3` has its workshop: the second is bonded, the last two have no age.
fn five_children(place: &str) -> Submission {
    let visit = samples::b3();
    let first = visit.answer("children[0]").unwrap().clone();
    let child = |n: usize, answers: Value| {
        let mut row = first.clone();
        row["child_code"] = json!(format!("{CODE}-C{n}"));
        for (name, answer) in answers.as_object().unwrap() {
            match answer.is_null() {
                true => drop(row.as_object_mut().unwrap().shift_remove(name)),
                false => row[name] = answer.clone(),
            }
        }
        row
    };
    let no_age = json!({
        "age_years": null, "age_child_says": null, "age_employer_says": null, "age_observed": null, "age_evidence": ["child"],
        "work_type": "paid", "haz_items": ["none"],
    });
    let bonded = json!({ "traffick_ind": ["advance", "cannot_leave"], "advance_amount": 40000 });
    let rows = vec![
        child(1, json!({})),
        child(2, bonded),
        child(3, json!({ "age_years": 16, "age_child_says": 16, "age_observed": 16 })),
        child(4, no_age.clone()),
        child(5, no_age),
    ];
    visit
        .with("children", json!(rows))
        .with("workplace_label", "Karim Brick Kiln")
        .with("est_type", "brick_kiln")
        .with("isic", "2392")
        .at("version", 2)
        .at("facility", place)
        .with_photo(harness::photos::jpeg("gate.jpg", "gate"))
}

/// A kiln beside the fix of `b3`, as somebody who stands there writes it down.
fn kiln(name: &str, text: &str) -> Value {
    json!({
        "kind": "brick_kiln", name: text, "district": "PK226",
        "position": { "lat": 30.1922, "lon": 67.0076, "accuracy_m": 12.0, "fixed_at": "2026-11-20T08:14:02+05:00" },
    })
}

/// The kiln the register has; somebody else registered it, and the supervisor has confirmed it.
async fn known_kiln(app: &TestApp) -> String {
    let colleague = app.inspector_in("PK226").await;
    let path = format!("/v1/facilities/{}", Uuid::new_v4());
    colleague.put(&path, &kiln("name_ur", "کریم بھٹہ خشت")).await.created();
    app.supervisor().await.post(&format!("{path}/confirm"), &json!({})).await.ok();
    path.rsplit('/').next().unwrap().to_owned()
}

async fn a_day_from_the_gate_to_the_verified_finding(app: TestApp) {
    publish_with_provisional_ages(&app).await;
    let known = known_kiln(&app).await;
    let (inspector, supervisor, unit) =
        (app.inspector().await, app.supervisor().await, app.login("case-worker").await);
    let place = Uuid::new_v4().to_string();

    // At the gate, without a network. The phone sends the visit first, and the place it made an id for afterwards.
    let visit = five_children(&place);
    let receipt = inspector.file_whole(&visit).await;
    let path = format!("/v1/facilities/{place}");
    let registered = inspector.put(&path, &kiln("name_en", "Karim Brick Kiln")).await.created();
    let seen = &registered["facility"];
    assert_eq!((&seen["status"], &seen["visit_count"]), (&json!("provisional"), &json!(1)));
    assert_eq!(registered["possible_duplicates"][0]["id"], known, "{registered}");

    // It is the one with the Urdu name: the supervisor merges them, and the visit is a visit of that one.
    supervisor.post(&format!("{path}/confirm"), &json!({})).await.refused(409, "possible_duplicates");
    let merged = supervisor.post(&format!("{path}/merge"), &json!({ "into": known })).await.ok();
    assert_eq!((&merged["status"], &merged["merged_into"]), (&json!("merged"), &json!(known)));
    let survivor = supervisor.get(&format!("/v1/facilities/{known}")).await.ok();
    assert_eq!((&survivor["visit_count"], &survivor["status"]), (&json!(1), &json!("active")));
    let provisional = |findings: &[Value]| {
        let open = findings.iter().filter(|it| it["provisional"] == true && it["state"] != "superseded");
        open.map(|it| it["subject"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let found = inspector.findings_of(visit.id).await;
    let mut unknown = provisional(&found);
    unknown.sort_unstable();
    assert_eq!(unknown, [format!("{CODE}-C4"), format!("{CODE}-C5")]);
    assert!(codes(&receipt["findings"]).contains(&"BON-01"));

    // The employer is handed a copy; nothing in it tells of the bonded child.
    let copy = inspector.get(&format!("/v1/submissions/{}/employer-copy?format=text", visit.id)).await;
    for betrayal in ["BON", "TRF", "bonded", "advance", "-C", "AGE-01", "vigilance"] {
        assert!(!copy.text().contains(betrayal), "the copy says {betrayal}");
    }
    assert!(copy.text().contains("AGE-02") && copy.text().contains("درستی کے لیے"));

    // The child in danger is sent to the unit the same hour; the unit declines.
    let danger = inspector.finding(visit.id, &format!("AGE-02 of {CODE}-C1")).await;
    let referral = json!({
        "body": "cpu", "consent": { "basis": "given", "note": "his mother, by telephone" },
        "part": { "fields": ["age_child_says", "task"], "summary": "must be out of there today" },
        "voice": { "spoke_to": "duty officer", "at": "2026-11-20T17:02:00+05:00" },
    });
    let sent = inspector.act(&danger, "/referrals", referral.clone()).await.created();
    let seen = unit.get(&at(&sent, "")).await.ok();
    assert_eq!(seen["voice"]["spoke_to"], "duty officer");
    assert!(!seen.to_string().contains(&format!("{CODE}-C2")), "the unit sees one child");
    let no = json!({ "to": "declined", "reason": "both officers are in Khuzdar" });
    unit.act(&seen, "/transitions", no).await.ok();
    let passed_on = supervisor.get(&at(&danger, "")).await.ok();
    assert_eq!(passed_on["state"], "acknowledged");
    assert_eq!(passed_on["history"][3]["details"]["to"], json!(["labour_head", "dd", "dc"]));
    let again = supervisor.act(&passed_on, "/referrals", referral).await.created();

    // Nobody answers in two hours: it goes up once more, once.
    app.clock.advance(Duration::minutes(125));
    app.run_jobs().await;
    app.run_jobs().await;
    let (inspector, supervisor, unit) =
        (app.inspector().await, app.supervisor().await, app.login("case-worker").await);
    let late = supervisor.get(&at(&danger, "")).await.ok();
    assert_eq!(deeds(&late).iter().filter(|deed| **deed == "referral.unanswered").count(), 1);
    assert_eq!(late["level"], 2);
    let seen = unit.get(&at(&again, "")).await.ok();
    let accepted = unit.act(&seen, "/transitions", json!({ "to": "accepted" })).await.ok();
    assert_ne!(accepted["case_number"], accepted["child"]);

    // The ages come back as a question; one child is fifteen, one is eleven.
    let back = json!({
        "action": "return", "reason": "two ages are missing",
        "fields": [
            { "path": "children[3].age_years", "comment": "ask for the school certificate" },
            { "path": "children[4].age_years", "comment": "ask the mother" },
        ],
    });
    supervisor.post(&format!("/v1/submissions/{}/review", visit.id), &back).await.ok();
    let corrected = visit.clone().with("children[3].age_years", 15).with("children[4].age_years", 11);
    inspector.revise(&corrected, receipt["content_hash"].as_str().unwrap()).await.created();
    let found = supervisor.findings_of(visit.id).await;
    assert_eq!(provisional(&found), Vec::<String>::new());
    let fell = supervisor.finding(visit.id, &format!("AGE-02 of {CODE}-C4")).await;
    let firm = supervisor.finding(visit.id, &format!("AGE-02 of {CODE}-C5")).await;
    assert_eq!((&fell["state"], &fell["cause"]), (&json!("superseded"), &json!("answered")));
    assert_eq!(deeds(&firm), ["finding.opened", "finding.firmed"]);
    assert_eq!(supervisor.get(&at(&danger, "")).await.ok()["state"], "referred", "its history stays");

    // The unit has brought the boy home, and the supervisor has it in a photo: somebody is to see it.
    unit.act(&accepted, "/transitions", json!({ "to": "done", "outcome": "reunified" })).await.ok();
    app.clock.advance(Duration::days(7));
    app.run_jobs().await;
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let page = supervisor.get(&at(&danger, "")).await.ok();
    let said =
        json!({ "to": "remedied", "comment": "no child works there", "evidence": { "media": ["gate.jpg"] } });
    let remedied = supervisor.step(&page, said).await.ok();
    let wanted = inspector.get("/v1/assignments").await.ok()["items"][0].clone();
    assert_eq!(
        (&wanted["facility"], &wanted["findings"]),
        (&json!(known), &json!([danger["id"]])),
        "{wanted}"
    );
    inspector
        .post(&format!("/v1/assignments/{}/take", wanted["id"].as_str().unwrap()), &json!({}))
        .await
        .ok();

    // The inspector goes again, to the kiln as the register has it.
    app.clock.advance(Duration::days(1));
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let second = samples::b1()
        .at("started_at", "2026-11-28T10:00:00+05:00")
        .at("finished_at", "2026-11-28T11:00:00+05:00")
        .with("visit_date", "2026-11-28")
        .with("est_type", "brick_kiln")
        .with("isic", "2392")
        .at("facility", known);
    inspector.file(&second).await.created();
    let made = supervisor.get(&format!("/v1/assignments/{}", wanted["id"].as_str().unwrap())).await.ok();
    assert_eq!((&made["state"], &made["completed_by"]), (&json!("done"), &json!(second.id)));
    let shown = json!({ "submission": second.id });
    let verified = supervisor
        .step(
            &remedied,
            json!({ "to": "verified", "comment": "seen on the second visit", "evidence": shown }),
        )
        .await
        .ok();

    assert_eq!(
        deeds(&verified),
        [
            "finding.opened",
            "referral.sent",
            "referral.declined",
            "finding.escalated",
            "referral.sent",
            "referral.unanswered",
            "finding.escalated",
            "referral.accepted",
            "referral.done",
            "finding.breached",
            "finding.escalated",
            "finding.remedied",
            "finding.verified",
        ]
    );
    assert_eq!(verified["deadline"], "breached", "it was put right, and late");
    let bonded = supervisor.finding(visit.id, &format!("BON-01 of {CODE}-C2")).await;
    assert_eq!(
        (&bonded["state"], &bonded["overdue"]),
        (&json!("open"), &json!(true)),
        "it stays until somebody finishes it"
    );
}
