//! Webhooks: programs are told in order, signed, again when something failed, and never of what was found; one that
//! misbehaves harms nobody but itself.

use std::collections::BTreeSet;
use std::time::{Duration as StdDuration, Instant};

use chrono::Duration;
use harness::sinks::{Call, MailServer, Manners, Program};
use harness::{Person, TestApp, on_both_databases, samples};
use reqwest::Method;
use serde_json::{Value, json};
use server::config::Config;

use super::notifications::{tell_of, wants, write_through};

on_both_databases!(
    a_program_is_told_signed_and_without_a_word_of_the_case,
    a_program_that_hangs_holds_up_nobody_and_hears_everything_in_order,
    what_fails_about_one_thing_does_not_hold_up_another,
    while_it_hangs_others_are_told_at_once,
    only_what_was_asked_for_is_told,
    what_was_told_is_told_again_on_request_under_the_same_ids,
    a_program_that_fails_for_days_is_switched_off_and_administrators_hear_of_it,
    a_program_that_is_gone_is_switched_off_at_once,
    answers_are_not_followed_and_not_read,
    addresses_inside_the_network_are_refused,
    webhooks_are_for_administrators_and_their_secrets_for_nobody,
    while_a_program_changes_over_both_secrets_sign,
    a_webhook_that_makes_no_sense_is_named,
);

#[test]
fn two_servers_share_the_outbox_and_nobody_is_told_twice_on_postgres() {
    harness::app::tell(
        harness::Backend::Postgres,
        harness::House::Plain,
        two_servers_share_the_outbox_and_nobody_is_told_twice,
    );
}

const A: &str = "finding:00000000-0000-7000-8000-00000000000a";
const B: &str = "finding:00000000-0000-7000-8000-00000000000b";

/// Settings by which programs of this machine may be called.
fn may_call(config: &mut Config) {
    config.webhooks.allow_http = true;
    config.webhooks.allow_private = true;
    config.webhooks.timeout_seconds = 1;
    config.notifications.public_url = Some("https://nigran.example/".to_owned());
}

/// The server, now allowed to call programs of this machine.
async fn calling(app: &TestApp) -> TestApp {
    app.under(may_call).await
}

/// Has a program told of everything, or of what `members` say.
async fn hooked(server: &TestApp, program: &Program, members: Value) -> Value {
    let mut webhook = json!({ "name": "CPMIS", "url": program.url });
    webhook.as_object_mut().unwrap().extend(members.as_object().cloned().unwrap());
    server.admin().await.post("/v1/webhooks", &webhook).await.created()
}

fn path(webhook: &Value, what: &str) -> String {
    format!("/v1/webhooks/{}{what}", webhook["id"].as_str().unwrap())
}

/// The ends of the links told of, in order: `01`, `02`.
fn numbers(calls: &[Call]) -> Vec<String> {
    let link = |call: &Call| call.json()["link"].as_str().unwrap().to_owned();
    calls.iter().map(|call| link(call)[link(call).len() - 2..].to_owned()).collect()
}

async fn a_program_is_told_signed_and_without_a_word_of_the_case(app: TestApp) {
    let (program, server) = (Program::start().await, calling(&app).await);
    let webhook = hooked(&server, &program, json!({ "kinds": ["referral.*"] })).await;
    let (inspector, unit) = (app.inspector().await, app.login("case-worker").await);
    let visit = samples::b3();
    inspector.file(&visit).await.created();
    let finding = inspector.finding(visit.id, "EDU-01").await;
    let referral = json!({ "body": "cpu", "consent": { "basis": "given", "note": "his mother agreed" },
        "part": { "fields": ["task"], "summary": "wants to go to school" } });
    let sent = inspector.act(&finding, "/referrals", referral).await.created();
    unit.act(&sent, "/transitions", json!({ "to": "accepted" })).await.ok();

    server.run_jobs().await;

    let calls = program.taken();
    let kinds: Vec<Value> = calls.iter().map(|call| call.json()["kind"].clone()).collect();
    assert_eq!(kinds, ["referral.created", "referral.accepted"]);
    let told = calls[0].json();
    let id = sent["id"].as_str().unwrap();
    assert_eq!(
        told,
        json!({
            "id": calls[0].id(), "kind": "referral.created",
            "subject": format!("REF-{}", id[id.len() - 8..].to_uppercase()),
            "link": format!("https://nigran.example/v1/referrals/{id}"), "occurred_at": "2026-11-20T12:00:00Z"
        })
    );
    let secret = webhook["secret"].as_str().unwrap();
    for call in &calls {
        assert!(call.is_signed_with(secret), "{call:?}");
        assert!(!call.is_signed_with("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
        assert_eq!(call.headers["webhook-timestamp"], server.clock.now().timestamp().to_string());
        assert_eq!(call.headers["content-type"], "application/json");
        for kept_back in ["EDU-01", "school", "mother", "-0102-C1", finding["id"].as_str().unwrap()] {
            assert!(!call.body.contains(kept_back), "{}", call.body);
        }
    }
}

async fn a_program_that_hangs_holds_up_nobody_and_hears_everything_in_order(app: TestApp) {
    let (hanging, other, server) = (Program::start().await, Program::start().await, calling(&app).await);
    hooked(&server, &hanging, json!({})).await;
    hooked(&server, &other, json!({})).await;
    hanging.be(Manners::Hangs);
    for n in 1..=3 {
        tell_of(&app, "finding.escalated", n, A, json!([])).await;
    }
    tell_of(&app, "finding.escalated", 4, B, json!([])).await;

    server.run_jobs().await;
    let asked = hanging.calls().len();
    let told = numbers(&other.taken());
    for _ in 0..4 {
        app.clock.advance(Duration::minutes(30));
        server.run_jobs().await;
    }
    let asked_again = hanging.calls().len() - asked;
    hanging.be(Manners::Good);
    app.clock.advance(Duration::hours(2));
    server.run_jobs().await;

    let of_a = |numbers: Vec<String>| numbers.into_iter().filter(|n| n != "04").collect::<Vec<_>>();
    assert_eq!(of_a(told.clone()), ["01", "02", "03"]);
    assert_eq!(told.len(), 4);
    assert!(asked <= 2, "what hangs is not asked for all of it: {asked}");
    assert_eq!(asked_again, 4, "and then by one call at a time");
    let heard = numbers(&hanging.taken());
    assert_eq!((of_a(heard.clone()), heard.len()), (vec!["01".into(), "02".into(), "03".into()], 4));
    let calls = hanging.calls();
    let firsts = calls.iter().filter(|call| numbers(std::slice::from_ref(*call)) == ["01"]);
    let ids: BTreeSet<&str> = firsts.map(Call::id).collect();
    assert_eq!(ids.len(), 1, "however often it is sent, it is known again");
    assert_eq!(app.count("deliveries", "state = 'sent'"), 8);
}

async fn what_fails_about_one_thing_does_not_hold_up_another(app: TestApp) {
    let (program, server) = (Program::start().await, calling(&app).await);
    hooked(&server, &program, json!({})).await;
    program.be(Manners::Answers(500));
    tell_of(&app, "finding.escalated", 1, A, json!([])).await;
    server.run_jobs().await;
    program.be(Manners::Good);

    tell_of(&app, "finding.escalated", 2, A, json!([])).await;
    tell_of(&app, "finding.escalated", 3, B, json!([])).await;
    server.run_jobs().await;
    let meanwhile = numbers(&program.taken());
    app.clock.advance(Duration::minutes(5));
    server.run_jobs().await;

    assert_eq!(meanwhile, ["03"], "the second about A waits for the first");
    assert_eq!(numbers(&program.taken()), ["03", "01", "02"]);
}

async fn while_it_hangs_others_are_told_at_once(app: TestApp) {
    let (hanging, other, mail) = (Program::start().await, Program::start().await, MailServer::start().await);
    // A server that runs its jobs by itself, and would wait a minute for an answer.
    let server = app
        .under(|config| {
            may_call(config);
            write_through(&mail, config);
            config.jobs.at_once = 1;
            config.webhooks.timeout_seconds = 60;
        })
        .await;
    wants(&app.inspector().await, "inspector@example.org", "immediately", "ur").await;
    let me = app.inspector().await.get("/v1/me").await.ok()["id"].clone();
    hooked(&server, &hanging, json!({})).await;
    hooked(&server, &other, json!({})).await;
    hanging.be(Manners::Hangs);
    tell_of(&server, "finding.escalated", 1, A, json!([])).await;
    until(|| !hanging.calls().is_empty()).await;

    tell_of(&server, "assignment.given", 2, B, json!([{ "account": me }])).await;
    until(|| other.taken().len() == 2 && mail.letters().len() == 1).await;

    assert!(hanging.taken().is_empty());
    hanging.be(Manners::Drops);
}

async fn two_servers_share_the_outbox_and_nobody_is_told_twice(app: TestApp) {
    const SUBJECTS: u32 = 4;
    let (program, mail) = (Program::start().await, MailServer::start().await);
    let working = |config: &mut Config| {
        may_call(config);
        write_through(&mail, config);
        config.jobs.at_once = 2;
    };
    let servers = [app.under(working).await, app.beside(working).await];
    let me = app.inspector().await.get("/v1/me").await.ok()["id"].clone();
    wants(&app.inspector().await, "inspector@example.org", "immediately", "en").await;
    hooked(&servers[0], &program, json!({})).await;

    for n in 0..24 {
        let (server, subject) = (&servers[n as usize % 2], format!("assignment:{}", n % SUBJECTS));
        tell_of(server, "assignment.given", n, &subject, json!([{ "account": me }])).await;
    }
    until(|| {
        // What waits for an earlier one waits by this clock.
        app.clock.advance(Duration::milliseconds(100));
        program.taken().len() >= 24 && mail.letters().len() >= 24
    })
    .await;

    let told = numbers(&program.calls());
    assert_eq!((told.len(), mail.letters().len()), (24, 24));
    for subject in 0..SUBJECTS {
        let about = |n: &&String| n.parse::<u32>().unwrap() % SUBJECTS == subject;
        let in_order: Vec<&String> = told.iter().filter(about).collect();
        assert!(in_order.is_sorted(), "about {subject}: {in_order:?}");
    }
}

/// Waits until something that runs by itself has come about.
async fn until(it_is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + StdDuration::from_secs(30);
    while !it_is_so() {
        assert!(Instant::now() < deadline, "it does not come about");
        tokio::time::sleep(StdDuration::from_millis(20)).await;
    }
}

async fn only_what_was_asked_for_is_told(app: TestApp) {
    let server = calling(&app).await;
    let programs =
        [Program::start().await, Program::start().await, Program::start().await, Program::start().await];
    for (program, members) in programs.iter().zip([
        json!({ "kinds": ["referral.*", "finding.overdue"] }),
        json!({ "areas": ["PK216"] }),
        json!({ "areas": ["PK2-DIV-QUETTA"], "line": "labour" }),
        json!({ "line": "swd" }),
    ]) {
        hooked(&server, program, members).await;
    }
    tell_of(&app, "finding.escalated", 1, A, json!([])).await;
    tell_of(&app, "finding.overdue", 2, A, json!([])).await;
    tell_of(&app, "referral.done", 3, A, json!([])).await;
    // What is about the service itself is for administrators.
    tell_of(&app, "operations.parked", 4, A, json!([])).await;

    server.run_jobs().await;

    let told: Vec<Vec<String>> = programs.iter().map(|program| numbers(&program.taken())).collect();
    assert_eq!(told, [vec!["02", "03"], vec![], vec!["01", "02", "03"], vec![]]);
}

async fn replayed(admin: &Person, webhook: &Value, from: &str) -> harness::Answer {
    admin.request(Method::POST, &path(webhook, "/replay")).query(&[("from", from)]).send().await
}

async fn what_was_told_is_told_again_on_request_under_the_same_ids(app: TestApp) {
    let (program, server) = (Program::start().await, calling(&app).await);
    let webhook = hooked(&server, &program, json!({ "kinds": ["finding.escalated"] })).await;
    tell_of(&app, "finding.escalated", 1, A, json!([])).await;
    server.run_jobs().await;
    app.clock.advance(Duration::hours(1));
    tell_of(&app, "finding.escalated", 2, A, json!([])).await;
    tell_of(&app, "finding.overdue", 3, A, json!([])).await;
    server.run_jobs().await;
    let admin = app.admin().await;
    admin.patch(&path(&webhook, ""), &json!({ "enabled": false })).await.ok();
    tell_of(&app, "finding.escalated", 4, B, json!([])).await;
    server.run_jobs().await;
    replayed(&admin, &webhook, "2026-11-20T12:30:00Z").await.refused(409, "webhook_disabled");
    server.admin().await.patch(&path(&webhook, ""), &json!({ "enabled": true })).await.ok();
    server.run_jobs().await;
    let before = program.taken();

    let again = replayed(&admin, &webhook, "2026-11-20T12:30:00Z").await.ok();
    server.run_jobs().await;
    let mut after = program.taken()[before.len()..].to_vec();
    // About two things: which comes first is nobody's promise.
    after.sort_by_key(|call| numbers(std::slice::from_ref(call)));

    assert_eq!(numbers(&before), ["01", "02"]);
    assert_eq!(again, json!({ "queued": 2, "next": null }));
    assert_eq!(
        numbers(&after),
        ["02", "04"],
        "from then on, what it missed as well, and only what it asked for"
    );
    assert_eq!(after[0].id(), before[1].id());
    assert!(after.iter().all(|call| call.is_signed_with(webhook["secret"].as_str().unwrap())));
    for bad in ["yesterday", ""] {
        replayed(&admin, &webhook, bad).await.refused(400, "bad_from");
    }
    let elsewhere = json!({ "id": "00000000-0000-4000-8000-000000000000" });
    replayed(&admin, &elsewhere, "2026-11-20T12:30:00Z").await.refused(404, "webhook_unknown");
}

async fn a_program_that_fails_for_days_is_switched_off_and_administrators_hear_of_it(app: TestApp) {
    let (program, mail) = (Program::start().await, MailServer::start().await);
    let both = |config: &mut Config| {
        may_call(config);
        write_through(&mail, config);
    };
    let server = app.under(both).await;
    wants(&app.admin().await, "admin@example.org", "urgent_only", "en").await;
    let webhook = hooked(&server, &program, json!({})).await;
    program.be(Manners::Drops);
    tell_of(&app, "finding.escalated", 1, A, json!([])).await;
    tell_of(&app, "finding.escalated", 2, A, json!([])).await;
    for _ in 0..14 {
        server.run_jobs().await;
        app.clock.advance(Duration::hours(6));
    }

    let admin = server.login("admin").await;
    let seen = admin.get(&path(&webhook, "")).await.ok();
    assert_eq!(seen["enabled"], false);
    assert_eq!(seen["disabled_because"], "nothing came through for three days");
    assert_eq!(app.count("deliveries", "state = 'parked' AND channel = 'webhook'"), 2);
    let told: Vec<String> = mail.letters().iter().filter_map(|letter| letter.header("Subject")).collect();
    assert!(
        told.iter().any(|subject| subject.starts_with("Nigran: Webhook switched off (HOOK-")),
        "{told:?}"
    );
    assert!(!told.is_empty() && told.len() <= 2, "once, and once for what was given up: {told:?}");

    program.be(Manners::Good);
    admin.patch(&path(&webhook, ""), &json!({ "enabled": true })).await.ok();
    server.run_jobs().await;
    assert_eq!(numbers(&program.taken()), ["02"], "what waited goes on; what was given up is replayed");
    replayed(&admin, &webhook, "2026-11-20T00:00:00+05:00").await.ok();
    server.run_jobs().await;
    assert_eq!(numbers(&program.taken()), ["02", "01", "02"]);
}

async fn a_program_that_is_gone_is_switched_off_at_once(app: TestApp) {
    let (program, server) = (Program::start().await, calling(&app).await);
    let webhook = hooked(&server, &program, json!({})).await;
    program.be(Manners::Answers(410));
    tell_of(&app, "finding.escalated", 1, A, json!([])).await;

    server.run_jobs().await;

    let seen = server.admin().await.get(&path(&webhook, "")).await.ok();
    assert_eq!(seen["disabled_because"], "it answered 410: it wants no more calls");
    assert_eq!(app.count("audit_events", "action = 'webhook.switched_off'"), 1);
}

async fn answers_are_not_followed_and_not_read(app: TestApp) {
    let (sending_on, inside, flooding) =
        (Program::start().await, Program::start().await, Program::start().await);
    let server = calling(&app).await;
    hooked(&server, &sending_on, json!({})).await;
    hooked(&server, &flooding, json!({})).await;
    sending_on.be(Manners::SendsOn(inside.url.clone()));
    flooding.be(Manners::Floods);
    tell_of(&app, "finding.escalated", 1, A, json!([])).await;

    server.run_jobs().await;

    assert!(inside.calls().is_empty());
    assert_eq!(app.count("deliveries", "state = 'pending' AND last_error = 'it answered 302'"), 1);
    assert_eq!((flooding.calls().len(), app.count("deliveries", "state = 'sent'")), (1, 1));
}

async fn addresses_inside_the_network_are_refused(app: TestApp) {
    let program = Program::start().await;
    let admin = app.admin().await;
    let new = |url: &str| json!({ "name": "inside", "url": url });

    admin.post("/v1/webhooks", &new(&program.url)).await.refused(400, "url_invalid");
    for url in [
        "https://127.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://localhost/",
    ] {
        admin.post("/v1/webhooks", &new(url)).await.refused(400, "url_private");
    }
    // What was allowed when it was named is not called when it is allowed no more.
    let server = calling(&app).await;
    hooked(&server, &program, json!({})).await;
    let strict = app.under(|config| config.webhooks.allow_http = true).await;
    tell_of(&app, "finding.escalated", 1, A, json!([])).await;
    strict.run_jobs().await;

    assert!(program.calls().is_empty());
    assert_eq!(app.count("deliveries", "state = 'pending' AND last_error LIKE '%private network%'"), 1);
}

async fn while_a_program_changes_over_both_secrets_sign(app: TestApp) {
    let (program, server) = (Program::start().await, calling(&app).await);
    let webhook = hooked(&server, &program, json!({})).await;
    let admin = server.admin().await;
    let secret = async |overlap: &str| {
        let renewed =
            server.admin().await.post(&path(&webhook, &format!("/secret{overlap}")), &json!({})).await.ok();
        renewed["secret"].as_str().unwrap().to_owned()
    };
    let signed = async |n: u32| {
        tell_of(&app, "finding.escalated", n, A, json!([])).await;
        server.run_jobs().await;
        program.taken().last().unwrap().clone()
    };
    let first = webhook["secret"].as_str().unwrap().to_owned();
    let second = secret("").await;

    let both = signed(1).await;
    let until = admin.get(&path(&webhook, "")).await.ok()["both_sign_until"].clone();
    app.clock.advance(Duration::hours(24));
    let one = signed(2).await;
    let third = secret("?overlap_hours=1").await;
    let fourth = secret("?overlap_hours=1").await;
    let newest = signed(3).await;

    assert!(both.is_signed_with(&first) && both.is_signed_with(&second), "{both:?}");
    assert_eq!(both.headers["webhook-signature"].split(' ').count(), 2);
    assert_eq!(until, "2026-11-21T12:00:00Z");
    assert!(!one.is_signed_with(&first) && one.is_signed_with(&second), "{one:?}");
    assert!(
        newest.is_signed_with(&fourth) && newest.is_signed_with(&third) && !newest.is_signed_with(&second)
    );
    let too_long = server.admin().await.post(&path(&webhook, "/secret?overlap_hours=169"), &json!({})).await;
    too_long.refused(400, "overlap_invalid");
    assert!(
        !app.text("SELECT previous_secret AS text FROM webhooks").contains(&third[6..]),
        "it is sealed at rest"
    );
}

async fn webhooks_are_for_administrators_and_their_secrets_for_nobody(app: TestApp) {
    let (program, server) = (Program::start().await, calling(&app).await);
    let webhook = hooked(&server, &program, json!({ "areas": ["PK226"] })).await;
    let secret = webhook["secret"].as_str().unwrap();
    let admin = server.admin().await;
    for person in ["inspector", "supervisor", "labour-head", "committee1", "log-auditor", "oversight"] {
        let person = server.login(person).await;
        for read in ["/v1/webhooks".to_owned(), path(&webhook, ""), "/v1/deliveries".to_owned()] {
            person.get(&read).await.refused(403, "not_permitted");
        }
        person
            .post("/v1/webhooks", &json!({ "name": "x", "url": program.url }))
            .await
            .refused(403, "not_permitted");
        person.patch(&path(&webhook, ""), &json!({ "enabled": false })).await.refused(403, "not_permitted");
        person.post(&path(&webhook, "/secret"), &json!({})).await.refused(403, "not_permitted");
        replayed(&person, &webhook, "2026-11-20T12:30:00Z").await.refused(403, "not_permitted");
        person.request(Method::DELETE, &path(&webhook, "")).send().await.refused(403, "not_permitted");
    }

    let shown = [admin.get("/v1/webhooks").await.text(), admin.get(&path(&webhook, "")).await.text()];
    assert!(
        shown.iter().all(|text| text.contains("CPMIS") && !text.contains("secret") && !text.contains(secret))
    );
    assert!(!app.text("SELECT secret AS text FROM webhooks").contains(&secret[6..]), "it is sealed at rest");
    assert_eq!(app.count("audit_events", &format!("details LIKE '%{}%'", &secret[6..20])), 0);

    let renewed = admin.post(&path(&webhook, "/secret?overlap_hours=0"), &json!({})).await;
    assert_eq!(renewed.header("cache-control"), Some("no-store"));
    tell_of(&app, "finding.escalated", 1, A, json!([])).await;
    server.run_jobs().await;
    let call = &program.taken()[0];
    assert!(call.is_signed_with(renewed.ok()["secret"].as_str().unwrap()) && !call.is_signed_with(secret));

    program.be(Manners::Answers(503));
    tell_of(&app, "finding.escalated", 2, A, json!([])).await;
    server.run_jobs().await;
    admin.request(Method::DELETE, &path(&webhook, "")).send().await.expect(204);
    admin.get(&path(&webhook, "")).await.refused(404, "webhook_unknown");
    app.clock.advance(Duration::hours(2));
    server.run_jobs().await;
    assert_eq!(program.calls().len(), 2);
    assert_eq!(app.count("deliveries", "state = 'dropped'"), 1);
}

async fn a_webhook_that_makes_no_sense_is_named(app: TestApp) {
    let admin = app.admin().await;
    let with = |member: &str, value: Value| {
        let mut webhook = json!({ "name": "CPMIS", "url": "https://cpmis.example.org/hook" });
        webhook[member] = value;
        webhook
    };
    let unknown = admin.post("/v1/webhooks", &with("kinds", json!(["finding.imagined"]))).await;

    let problem = unknown.refused(400, "kind_unknown");
    assert!(problem["kinds"].as_array().is_some_and(|kinds| kinds.contains(&json!("referral.created"))));
    for (member, value, code) in [
        ("kinds", json!(["*"]), "kind_unknown"),
        ("kinds", json!(["operations.parked"]), "kind_unknown"),
        ("areas", json!(["'; DROP"]), "area_invalid"),
        ("name", json!("a\u{0}b"), "webhook_name_invalid"),
        ("name", json!(""), "webhook_name_invalid"),
        ("url", json!("https://u:p@example.org"), "url_invalid"),
    ] {
        admin.post("/v1/webhooks", &with(member, value)).await.refused(400, code);
    }
    admin.post("/v1/webhooks", &with("secret", json!("mine"))).await.expect(400);
    admin.get("/v1/webhooks/one").await.refused(400, "bad_id");
    admin.get("/v1/deliveries?state=lost").await.expect(400);
    let none = "00000000-0000-4000-8000-000000000000";
    admin.get(&format!("/v1/webhooks/{none}")).await.refused(404, "webhook_unknown");
    admin.post(&format!("/v1/deliveries/{none}/retry"), &json!({})).await.refused(404, "delivery_unknown");
    assert_eq!(app.count("webhooks", "true"), 0);
}
