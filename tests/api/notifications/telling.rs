//! Whom letters are for and what they say: whoever is meant is told once, in their language, when they want it, and never of what was
//! found.

use chrono::{Duration, TimeDelta};
use harness::sinks::MailServer;
use harness::{TestApp, on_both_databases, samples};
use serde_json::json;

use super::{supervisors, tell, wants, with_mail};
use crate::api::{assignments, facilities};

on_both_databases!(
    an_urgent_referral_reaches_the_units_case_workers_in_their_language,
    whoever_wants_it_daily_gets_one_letter_at_eight_with_counts_and_links,
    who_is_meant_is_found_out_when_it_is_told,
    an_urgent_notice_nobody_can_hear_is_told_to_administrators,
    those_who_filed_and_those_who_travel_are_told,
);

async fn an_urgent_referral_reaches_the_units_case_workers_in_their_language(app: TestApp) {
    let mail = MailServer::start().await;
    let server = with_mail(&app, &mail).await;
    // She is told once a day; an urgent one does not wait for that.
    wants(&app.login("case-worker").await, "first@unit.example", "daily", "ur").await;
    let of = |unit: &str, area: &str| json!({ "role": "case_worker", "unit": unit, "areas": [area] });
    wants(
        &app.account("second", of("CPU-QUETTA", "PK226")).await,
        "second@unit.example",
        "immediately",
        "en",
    )
    .await;
    let elsewhere = app.account("elsewhere", of("CPU-KHUZDAR", "PK216")).await;
    wants(&elsewhere, "elsewhere@unit.example", "immediately", "en").await;
    app.account("silent", of("CPU-QUETTA", "PK226")).await;
    let (inspector, visit) = (app.inspector().await, samples::b3());
    inspector.file(&visit).await.created();
    let finding = inspector.finding(visit.id, "AGE-02").await;
    let secret = "he sleeps in the workshop";
    let referral = json!({
        "body": "cpu", "consent": { "basis": "given", "note": "his mother agreed" },
        "part": { "fields": ["age_child_says", "task"], "summary": secret },
    });

    let sent = inspector.act(&finding, "/referrals", referral).await.created();
    server.run_jobs().await;

    let id = sent["id"].as_str().unwrap();
    let code = format!("REF-{}", id[id.len() - 8..].to_uppercase());
    let urdu = &mail.letters_to("first@unit.example")[0];
    let english = &mail.letters_to("second@unit.example")[0];
    assert_eq!(mail.letters().iter().filter(|it| it.to.ends_with("@unit.example")).count(), 2);
    assert_eq!(english.header("Subject").unwrap(), format!("Nigran: New referral ({code})"));
    assert_eq!(urdu.header("Subject").unwrap(), format!("\u{200f}نگران: نیا ریفرل (\u{2066}{code}\u{2069})"));
    assert_eq!(urdu.header("Content-Language").unwrap(), "ur");
    assert_eq!(urdu.header("Auto-Submitted").unwrap(), "auto-generated");
    assert!(urdu.raw.is_ascii(), "any mail server on the way can carry it");
    assert!(
        urdu.text().contains("\u{200f}آپ کے دفتر کے نام ایک ریفرل آپ کے جواب کا منتظر ہے۔"),
        "{}",
        urdu.text()
    );
    for letter in [urdu, english] {
        let text = letter.text();
        assert!(text.contains(&format!("https://nigran.example/v1/referrals/{id}")), "{text}");
        assert!(text.contains("CPU-QUETTA") && text.contains("2026-11-20 17:00"), "{text}");
        let facility = visit.envelope["answers"].to_string();
        for (kept_back, why) in [
            (secret, "the summary"),
            ("AGE-02", "the rule"),
            ("-0102-C1", "the child's code"),
            ("petrol", "the task"),
            ("mother", "the note"),
            (finding["id"].as_str().unwrap(), "the finding"),
            (&visit.id.to_string(), "the submission"),
        ] {
            assert!(
                !text.contains(kept_back) && !letter.raw.contains(kept_back),
                "{why} of {facility} in {text}"
            );
        }
    }
}

async fn whoever_wants_it_daily_gets_one_letter_at_eight_with_counts_and_links(app: TestApp) {
    let mail = MailServer::start().await;
    let server = with_mail(&app, &mail).await;
    wants(&app.supervisor().await, "officer@example.org", "daily", "en").await;
    for n in 1..=3 {
        tell(&app, "finding.escalated", n, supervisors()).await;
    }
    tell(&app, "referral.done", 4, supervisors()).await;

    server.run_jobs().await;
    let at_once = mail.letters().len();
    // It is five in the afternoon in Quetta; the letter is written at eight in the morning.
    app.clock.advance(Duration::hours(15) - TimeDelta::seconds(1));
    server.run_jobs().await;
    let before_eight = mail.letters().len();
    app.clock.advance(TimeDelta::seconds(1));
    server.run_jobs().await;
    app.clock.advance(Duration::days(1));
    server.run_jobs().await;

    assert_eq!((at_once, before_eight), (0, 0));
    let letters = mail.letters();
    assert_eq!(letters.len(), 1, "and none on a day without notices");
    assert_eq!(letters[0].header("Subject").unwrap(), "Nigran: 4 notices, 2026-11-21");
    let text = letters[0].text();
    assert!(
        text.contains("Finding nobody has taken up: 3\r\n") && text.contains("Referral completed: 1\r\n"),
        "{text}"
    );
    for n in 1..=4 {
        assert!(text.contains(&format!(
            "https://nigran.example/v1/findings/00000000-0000-7000-8000-0000000000{n:02}"
        )));
    }
    assert!(!text.contains("Amina") && !text.contains("kiln"), "{text}");
    assert_eq!(app.count("deliveries", "state = 'sent'"), 4);
}

async fn who_is_meant_is_found_out_when_it_is_told(app: TestApp) {
    let mail = MailServer::start().await;
    let server = with_mail(&app, &mail).await;
    let officer = |area: &str| json!({ "role": "supervisor", "line": "labour", "areas": [area] });
    for (name, members) in [
        ("of-the-division", officer("PK2-DIV-QUETTA")),
        ("of-the-province", officer("PK2")),
        ("of-khuzdar", officer("PK216")),
        ("of-the-other-line", json!({ "role": "supervisor", "line": "swd", "areas": ["PK226"] })),
        ("disabled", officer("PK226")),
        ("disabled-later", officer("PK226")),
        ("urgent-only", officer("PK226")),
    ] {
        let rhythm = match name {
            "urgent-only" => "urgent_only",
            "disabled-later" => "daily",
            _ => "immediately",
        };
        wants(&app.account(name, members).await, &format!("{name}@example.org"), rhythm, "en").await;
    }
    let close = async |username: &str| {
        let admin = app.login("admin").await;
        let all = admin.get("/v1/accounts?role=supervisor&limit=500").await.ok();
        let account = all["items"].as_array().unwrap().iter().find(|it| it["username"] == username).unwrap();
        let path = format!("/v1/accounts/{}", account["id"].as_str().unwrap());
        admin.patch(&path, &json!({ "status": "disabled" })).await.ok();
    };
    tell(&app, "finding.escalated", 1, supervisors()).await;
    close("disabled").await;
    server.run_jobs().await;
    close("disabled-later").await;
    app.clock.advance(Duration::days(1));
    server.run_jobs().await;

    let mut told: Vec<String> = mail.letters().into_iter().map(|letter| letter.to).collect();
    told.sort();
    assert_eq!(told, ["of-the-division@example.org", "of-the-province@example.org"]);
    assert_eq!(app.count("deliveries", "state = 'dropped'"), 1);
}

async fn an_urgent_notice_nobody_can_hear_is_told_to_administrators(app: TestApp) {
    let mail = MailServer::start().await;
    let server = with_mail(&app, &mail).await;
    wants(&app.admin().await, "admin@example.org", "urgent_only", "ur").await;
    let nobody = json!([{ "role": "supervisor", "line": "labour",
        "area": { "province": "PK9", "division": null, "district": "PK999" } }]);
    tell(&app, "finding.urgent", 1, nobody.clone()).await;
    tell(&app, "finding.escalated", 2, nobody).await;

    server.run_jobs().await;
    server.run_jobs().await;

    let letters = mail.letters();
    assert_eq!(letters.len(), 1);
    assert!(letters[0].header("Subject").unwrap().contains("فوری اطلاع جس کا کوئی وصول کنندہ نہیں"));
}

async fn those_who_filed_and_those_who_travel_are_told(app: TestApp) {
    let mail = MailServer::start().await;
    let server = with_mail(&app, &mail).await;
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    wants(&inspector, "inspector@example.org", "immediately", "en").await;
    let me = inspector.get("/v1/me").await.ok()["id"].clone();
    let visit = samples::b3();
    inspector.file(&visit).await.created();
    let back = json!({ "action": "return", "reason": "the ages of the two boys" });
    supervisor.post(&format!("/v1/submissions/{}/review", visit.id), &back).await.ok();
    let place = assignments::place(&inspector, &facilities::kiln()).await;
    let given = json!({ "form": "child-labour-inspection", "facility": place, "window": { "due": "2026-11-30" },
        "reason": "The munshi was changed.", "assignee": me });
    let given = supervisor.post("/v1/assignments", &given).await.created();
    let cancel = format!("/v1/assignments/{}/cancel", given["id"].as_str().unwrap());
    supervisor.post(&cancel, &json!({ "reason": "the kiln has burnt down" })).await.ok();

    server.run_jobs().await;

    let subjects: Vec<String> = mail.letters().iter().filter_map(|letter| letter.header("Subject")).collect();
    let said = |words: &str| subjects.iter().filter(|subject| subject.contains(words)).count();
    assert_eq!(
        [said("Submission returned (SUB-"), said("New assignment (ASG-"), said("Assignment cancelled (ASG-")],
        [1, 1, 1],
        "{subjects:?}"
    );
    for letter in mail.letters() {
        let text = letter.text();
        assert!(!text.contains("boys") && !text.contains("munshi") && !text.contains("burnt"), "{text}");
    }
}
