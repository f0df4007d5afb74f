//! Letters: whoever is meant is told once, in their language, when they want it, and never of what was found.

use chrono::{Duration, TimeDelta};
use harness::sinks::{Letter, MailServer, Secured, Temper};
use harness::{Person, TestApp, on_both_databases, samples};
use serde_json::{Value, json};
use server::config::Config;
use server::db::By;
use server::queue::{self, Job};

on_both_databases!(
    an_urgent_referral_reaches_the_units_case_workers_in_their_language,
    whoever_wants_it_daily_gets_one_letter_at_eight_with_counts_and_links,
    a_job_that_runs_again_tells_nobody_twice,
    while_the_mail_server_is_down_letters_wait_and_each_arrives_once,
    a_letter_whose_answer_was_lost_is_known_again,
    what_is_refused_is_parked_and_administrators_hear_of_it,
    who_is_meant_is_found_out_when_it_is_told,
    an_urgent_notice_nobody_can_hear_is_told_to_administrators,
    those_who_filed_and_those_who_travel_are_told,
    letters_go_out_over_tls_and_only_to_whom_they_are_meant_to_go,
    settings_are_ones_own,
    an_address_is_written_to_once_it_is_confirmed,
    an_address_that_changes_is_asked_again,
    a_code_is_guessed_in_vain_and_letters_with_codes_keep_their_distance,
    a_notice_that_makes_no_sense_tells_nobody_and_is_parked,
);

/// Settings by which letters are sent through `mail`.
pub(super) fn write_through(mail: &MailServer, config: &mut Config) {
    config.notifications.public_url = Some("https://nigran.example".to_owned());
    config.mail.server = Some(mail.address.ip().to_string());
    config.mail.port = Some(mail.address.port());
    config.mail.security = "none".to_owned();
    config.mail.from = Some("Nigran <nigran@nigran.example>".to_owned());
    config.mail.timeout_seconds = 1;
}

/// The server, now sending letters through `mail`.
async fn with_mail(app: &TestApp, mail: &MailServer) -> TestApp {
    app.under(|config| write_through(mail, config)).await
}

/// How somebody wants to be told.
pub(super) async fn wants(person: &Person, email: &str, rhythm: &str, language: &str) -> Value {
    let settings = json!({ "email": email, "rhythm": rhythm, "hour": 8, "language": language });
    person.put("/v1/me/notifications", &settings).await.ok()
}

/// Leaves a notice behind as a room does: `n` is what it must not be told twice for.
pub(super) async fn tell(app: &TestApp, kind: &'static str, n: u32, audience: Value) {
    tell_of(app, kind, n, "finding:00000000-0000-7000-8000-000000000001", audience).await;
}

/// The same about something else.
pub(super) async fn tell_of(app: &TestApp, kind: &'static str, n: u32, subject: &str, audience: Value) {
    let subject = subject.to_owned();
    let details = json!({
        "template": kind, "link": format!("/v1/findings/00000000-0000-7000-8000-0000000000{n:02}"),
        "line": "labour", "area": { "province": "PK2", "division": "PK2-DIV-QUETTA", "district": "PK226" },
        "audience": audience,
        // What no room should say, and no letter may repeat.
        "child": "Amina, aged 9", "comment": "found at the kiln",
    });
    let unit = move |tx: &mut server::db::Tx<'_>| {
        let job = Job::new("notify", subject.clone()).with(details.clone());
        queue::enqueue(tx, job.once(format!("{kind}:{subject}:{n}")))
    };
    app.services().db.write(By::system(), unit).await.unwrap();
}

/// The district officers of Labour in Quetta.
fn supervisors() -> Value {
    json!([{ "role": "supervisor", "line": "labour",
        "area": { "province": "PK2", "division": "PK2-DIV-QUETTA", "district": "PK226" } }])
}

fn ids(letters: &[Letter]) -> Vec<String> {
    let mut ids: Vec<String> = letters.iter().filter_map(|letter| letter.header("Message-ID")).collect();
    assert_eq!(ids.len(), letters.len(), "each letter has one");
    ids.sort();
    ids
}

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

async fn a_job_that_runs_again_tells_nobody_twice(app: TestApp) {
    let mail = MailServer::start().await;
    let server = with_mail(&app, &mail).await;
    wants(&app.supervisor().await, "officer@example.org", "immediately", "en").await;

    for _ in 0..3 {
        tell(&app, "finding.overdue", 1, supervisors()).await;
        server.run_jobs().await;
    }
    // The same person, meant twice over.
    let twice = json!([supervisors()[0], supervisors()[0]]);
    tell(&app, "finding.overdue", 2, twice).await;
    server.run_jobs().await;

    assert_eq!(app.count("notices", "kind = 'finding.overdue'"), 2);
    assert_eq!(app.count("deliveries", "channel = 'mail'"), 2);
    assert_eq!(mail.letters().len(), 2);
    assert_eq!(app.count("jobs", "kind LIKE 'notify%' AND kind <> 'notify.sweep'"), 0);
}

async fn while_the_mail_server_is_down_letters_wait_and_each_arrives_once(app: TestApp) {
    let mail = MailServer::start().await;
    let server = with_mail(&app, &mail).await;
    wants(&app.supervisor().await, "officer@example.org", "immediately", "en").await;
    mail.be(Temper::Down);
    for n in 1..=3 {
        tell(&app, "finding.escalated", n, supervisors()).await;
    }

    for temper in [Temper::Down, Temper::Silent, Temper::Down] {
        mail.be(temper);
        server.run_jobs().await;
        app.clock.advance(Duration::minutes(20));
    }
    let waiting = app.count("deliveries", "state = 'pending'");
    mail.be(Temper::Good);
    for _ in 0..3 {
        app.clock.advance(Duration::hours(2));
        server.run_jobs().await;
    }

    assert_eq!(waiting, 3);
    let letters = mail.letters();
    let mut once = ids(&letters);
    once.dedup();
    assert_eq!((letters.len(), once.len()), (3, 3), "nothing lost, nothing twice");
    assert_eq!(app.count("deliveries", "state = 'sent'"), 3);
}

async fn a_letter_whose_answer_was_lost_is_known_again(app: TestApp) {
    let mail = MailServer::start().await;
    let server = with_mail(&app, &mail).await;
    wants(&app.supervisor().await, "officer@example.org", "immediately", "en").await;
    mail.be(Temper::LosesAnswers);
    tell(&app, "finding.escalated", 1, supervisors()).await;
    server.run_jobs().await;

    mail.be(Temper::Good);
    app.clock.advance(Duration::hours(1));
    server.run_jobs().await;

    let letters = mail.letters();
    assert_eq!(letters.len(), 2, "nobody knew whether the first had arrived");
    let ids = ids(&letters);
    assert_eq!(ids[0], ids[1], "and mailboxes know the second for the same letter");
    assert_eq!(app.count("deliveries", "state = 'sent'"), 1);
}

async fn what_is_refused_is_parked_and_administrators_hear_of_it(app: TestApp) {
    let mail = MailServer::start().await;
    let server = with_mail(&app, &mail).await;
    let admin = app.admin().await;
    wants(&app.supervisor().await, "gone@example.org", "immediately", "en").await;
    wants(&admin, "admin@example.org", "daily", "en").await;
    mail.be(Temper::RefusesRecipients);
    tell(&app, "finding.escalated", 1, supervisors()).await;
    for _ in 0..5 {
        server.run_jobs().await;
        app.clock.advance(Duration::hours(2));
    }
    mail.be(Temper::Good);
    app.clock.advance(Duration::hours(2));
    server.run_jobs().await;

    let admin = app.login("admin").await;
    let parked = admin.get("/v1/deliveries?state=parked&channel=mail").await.ok();
    assert_eq!(parked["items"].as_array().map(Vec::len), Some(1), "{parked}");
    let one = &parked["items"][0];
    assert_eq!((&one["kind"], &one["attempts"]), (&json!("finding.escalated"), &json!(5)));
    assert_eq!(one["last_error"], "the mail server answered 550");
    assert!(!parked.to_string().contains("/v1/findings"), "the outbox says of what kind, not about whom");
    let told = mail.letters_to("admin@example.org");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].header("Subject").unwrap(), "Nigran: Notices could not be delivered (NOTE)");

    let path = format!("/v1/deliveries/{}/retry", one["id"].as_str().unwrap());
    admin.post(&path, &json!({})).await.ok();
    server.run_jobs().await;
    assert_eq!(mail.letters_to("gone@example.org").len(), 1);
    admin.post(&path, &json!({})).await.refused(409, "delivery_ended");
    assert_eq!(app.count("audit_events", "action = 'delivery.retried'"), 1);
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
    let place = super::assignments::place(&inspector, &super::facilities::kiln()).await;
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

async fn letters_go_out_over_tls_and_only_to_whom_they_are_meant_to_go(app: TestApp) {
    wants(&app.supervisor().await, "officer@example.org", "immediately", "en").await;
    for (n, when, security) in [(1, Secured::OnRequest, "starttls"), (2, Secured::FromTheFirstByte, "tls")] {
        let (mail, certificate) = MailServer::secured(when).await;
        let authority = app.data_dir().join(format!("{security}.pem"));
        std::fs::write(&authority, certificate).unwrap();
        let over_tls = |config: &mut Config| {
            write_through(&mail, config);
            config.mail.server = Some("localhost".to_owned());
            config.mail.security = security.to_owned();
        };
        let wary = app.under(over_tls).await;
        tell(&app, "finding.escalated", n, supervisors()).await;
        wary.run_jobs().await;
        let to_a_stranger = mail.letters().len();

        let trusting = app
            .under(|config| {
                over_tls(config);
                config.mail.authority = Some(authority.clone());
            })
            .await;
        app.clock.advance(Duration::hours(1));
        trusting.run_jobs().await;

        assert_eq!(to_a_stranger, 0, "{security}: nobody vouches for that certificate");
        assert_eq!(mail.letters_to("officer@example.org").len(), 1, "{security}");
    }
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

/// The code in the letter that asks whether an address is somebody's.
fn code_in(letter: &Letter) -> String {
    let text = letter.text();
    let line = text.lines().find_map(|line| line.strip_prefix("Code: ")).unwrap_or_else(|| panic!("{text}"));
    line.trim().to_owned()
}

async fn enter(person: &Person, code: &str) -> harness::Answer {
    person.post("/v1/me/notifications/confirmation", &json!({ "code": code })).await
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

async fn a_notice_that_makes_no_sense_tells_nobody_and_is_parked(app: TestApp) {
    let mail = MailServer::start().await;
    let server = with_mail(&app, &mail).await;
    wants(&app.supervisor().await, "officer@example.org", "immediately", "en").await;
    for details in [
        json!({ "template": "finding.urgent", "link": "https://elsewhere.example/", "audience": supervisors() }),
        json!({ "template": "Amina is nine", "link": "/v1/findings/1", "audience": supervisors() }),
        json!("nothing"),
    ] {
        let unit = move |tx: &mut server::db::Tx<'_>| {
            queue::enqueue(tx, Job::new("notify", "finding:x").with(details.clone()))
        };
        app.services().db.write(By::system(), unit).await.unwrap();
    }
    tell_of(&app, "finding.escalated", 1, "finding:x", supervisors()).await;

    for _ in 0..8 {
        server.run_jobs().await;
        app.clock.advance(Duration::hours(1));
    }

    assert_eq!(app.count("jobs", "kind = 'notify' AND state = 'parked'"), 3);
    assert_eq!(mail.letters().len(), 1, "what came after them is told when they are given up");
}
