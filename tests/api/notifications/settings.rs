//! How each wants to be told: settings are one's own, and an address is written to once its owner has entered the code.

use chrono::Duration;
use harness::sinks::{Letter, MailServer};
use harness::{Person, TestApp, on_both_databases};
use serde_json::{Value, json};

use super::{supervisors, tell, wants, with_mail};

on_both_databases!(
    settings_are_ones_own,
    an_address_is_written_to_once_it_is_confirmed,
    an_address_that_changes_is_asked_again,
    a_code_is_guessed_in_vain_and_letters_with_codes_keep_their_distance,
);

/// The code in the letter that asks whether an address is somebody's.
fn code_in(letter: &Letter) -> String {
    let text = letter.text();
    let line = text.lines().find_map(|line| line.strip_prefix("Code: ")).unwrap_or_else(|| panic!("{text}"));
    line.trim().to_owned()
}

async fn enter(person: &Person, code: &str) -> harness::Answer {
    person.post("/v1/me/notifications/confirmation", &json!({ "code": code })).await
}

async fn settings_are_ones_own(app: TestApp) {
    let (inspector, auditor, admin) = (app.inspector().await, app.auditor().await, app.admin().await);
    let untouched = auditor.get("/v1/me/notifications").await.ok();

    let mine = wants(&inspector, "amina@example.org", "daily", "ur").await;
    let account = inspector.get("/v1/me").await.ok()["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/accounts/{account}/notifications");
    let given = json!({ "email": "amina@labour.example", "rhythm": "immediately", "language": "en" });

    assert_eq!((&mine["email"], &mine["mail_available"]), (&json!("amina@example.org"), &json!(false)));
    assert_eq!((&untouched["email"], &untouched["changed_at"]), (&Value::Null, &Value::Null));
    assert_eq!(auditor.get("/v1/me/notifications").await.ok(), untouched);
    for stranger in [&auditor, &app.supervisor().await, &inspector] {
        stranger.get(&path).await.refused(403, "not_permitted");
        stranger.put(&path, &given).await.refused(403, "not_permitted");
    }
    app.stranger().get("/v1/me/notifications").await.expect(401);
    assert_eq!(admin.get(&path).await.ok(), mine);
    let set = admin.put(&path, &given).await.ok();
    assert_eq!(inspector.get("/v1/me/notifications").await.ok(), set);
    assert_eq!((&set["email"], &set["hour"]), (&json!("amina@labour.example"), &json!(8)));
    let nobody = "/v1/accounts/00000000-0000-4000-8000-000000000000/notifications";
    admin.get(nobody).await.refused(404, "account_not_found");
    admin.put(nobody, &given).await.refused(404, "account_not_found");
    for (bad, code) in [
        (json!({ "email": "no address", "rhythm": "daily", "language": "en" }), "email_invalid"),
        (json!({ "rhythm": "daily", "hour": 24, "language": "en" }), "hour_invalid"),
    ] {
        inspector.put("/v1/me/notifications", &bad).await.refused(400, code);
    }
    inspector.put("/v1/me/notifications", &json!({ "rhythm": "hourly", "language": "en" })).await.expect(400);
    assert_eq!(app.count("audit_events", "action = 'notifications.set'"), 2);
    assert_eq!(app.count("audit_events", "details LIKE '%example%'"), 0, "addresses stay out of the log");
}

async fn an_address_is_written_to_once_it_is_confirmed(app: TestApp) {
    let mail = MailServer::start().await;
    let server = with_mail(&app, &mail).await;
    let officer = server.supervisor().await;
    assert_eq!(wants(&officer, "officer@home.example", "immediately", "en").await["confirmed"], false);
    tell(&app, "finding.escalated", 1, supervisors()).await;
    server.run_jobs().await;

    let asked = mail.letters();
    assert_eq!(asked.len(), 1, "nothing goes there but the code");
    let code = code_in(&asked[0]);
    assert!(!asked[0].text().contains("/v1/") && !asked[0].header("Subject").unwrap().contains(&code));
    let settings = enter(&officer, &code.to_lowercase().replace('-', " ")).await.ok();
    app.clock.advance(Duration::minutes(11));
    server.run_jobs().await;

    assert_eq!(settings["confirmed"], true);
    let letters = mail.letters_to("officer@home.example");
    assert_eq!(letters.len(), 2, "what waited is sent now");
    assert!(letters[1].text().contains("https://nigran.example/v1/findings/"));
    enter(&server.supervisor().await, &code).await.ok();
    assert_eq!(app.count("audit_events", "action = 'notifications.address_confirmed'"), 1);
    assert_eq!(app.count("notice_settings", &format!("confirm_nonce LIKE '%{code}%'")), 0);
}

async fn an_address_that_changes_is_asked_again(app: TestApp) {
    let mail = MailServer::start().await;
    let server = with_mail(&app, &mail).await;
    wants(&server.supervisor().await, "old@home.example", "immediately", "en").await;
    server.run_jobs().await;
    let old = code_in(&mail.letters()[0]);
    enter(&server.supervisor().await, &old).await.ok();
    // Anything else may change without a question.
    assert_eq!(wants(&server.supervisor().await, "old@home.example", "daily", "en").await["confirmed"], true);

    app.clock.advance(Duration::hours(1));
    let changed = wants(&server.supervisor().await, "new@home.example", "immediately", "ur").await;
    tell(&app, "finding.escalated", 1, supervisors()).await;
    server.run_jobs().await;

    assert_eq!(changed["confirmed"], false);
    assert_eq!(mail.letters_to("old@home.example").len(), 1, "nothing goes to the old one any more");
    let urdu = &mail.letters_to("new@home.example")[0];
    assert_eq!(urdu.header("Content-Language").unwrap(), "ur");
    enter(&server.supervisor().await, &old).await.refused(400, "code_wrong");
    app.clock.advance(Duration::days(4));
    server.run_jobs().await;
    assert_eq!(mail.letters().len(), 2);
    assert_eq!(app.count("deliveries", "state = 'dropped'"), 1, "nobody waits for ever");
    enter(&server.supervisor().await, &old).await.refused(400, "code_expired");
    // Addresses from before there were questions were written to all along, and are.
    app.sql("UPDATE notice_settings SET confirmed_at = changed_at").unwrap();
    tell(&app, "finding.escalated", 2, supervisors()).await;
    server.run_jobs().await;
    assert_eq!(mail.letters_to("new@home.example").len(), 2);
}

async fn a_code_is_guessed_in_vain_and_letters_with_codes_keep_their_distance(app: TestApp) {
    let mail = MailServer::start().await;
    let server = with_mail(&app, &mail).await;
    let officer = server.supervisor().await;
    enter(&officer, "AAAA-AAAA").await.refused(409, "nothing_to_confirm");
    officer.post("/v1/me/notifications/letter", &json!({})).await.refused(409, "nothing_to_confirm");
    wants(&officer, "officer@home.example", "immediately", "en").await;
    // Whoever mistypes again and again writes to no strangers meanwhile.
    for n in 0..5 {
        wants(&officer, &format!("typo{n}@home.example"), "immediately", "en").await;
    }
    wants(&officer, "officer@home.example", "immediately", "en").await;
    server.run_jobs().await;
    app.clock.advance(Duration::minutes(1));
    server.run_jobs().await;
    officer.post("/v1/me/notifications/letter", &json!({})).await.refused(429, "letter_sent");
    assert!(mail.letters().len() <= 1, "{:?}", mail.letters());
    app.clock.advance(Duration::minutes(13));
    server.run_jobs().await;
    let officer = server.supervisor().await;
    let first = code_in(&mail.letters_to("officer@home.example")[0]);

    for _ in 0..10 {
        enter(&officer, "AAAA-AAAA").await.refused(400, "code_wrong");
    }
    enter(&officer, &first).await.refused(400, "code_expired");
    officer.post("/v1/me/notifications/letter", &json!({})).await.ok();
    server.run_jobs().await;
    let second = code_in(mail.letters_to("officer@home.example").last().unwrap());

    assert_ne!(first, second);
    enter(&server.auditor().await, &second).await.refused(409, "nothing_to_confirm");
    enter(&officer, &second).await.ok();
    officer.post("/v1/me/notifications/confirmation", &json!({})).await.expect(400);
}
