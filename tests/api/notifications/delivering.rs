//! Letters on their way: over a mail server that is down, silent, forgetful, refusing or a stranger, each arrives once, or somebody
//! hears that it did not.

use chrono::Duration;
use harness::sinks::{Letter, MailServer, Secured, Temper};
use harness::{TestApp, on_both_databases};
use serde_json::json;
use server::config::Config;
use server::db::By;
use server::queue::{self, Job};

use super::{supervisors, tell, tell_of, wants, with_mail, write_through};

on_both_databases!(
    a_job_that_runs_again_tells_nobody_twice,
    while_the_mail_server_is_down_letters_wait_and_each_arrives_once,
    a_letter_whose_answer_was_lost_is_known_again,
    what_is_refused_is_parked_and_administrators_hear_of_it,
    letters_go_out_over_tls_and_only_to_whom_they_are_meant_to_go,
    a_notice_that_makes_no_sense_tells_nobody_and_is_parked,
);

fn ids(letters: &[Letter]) -> Vec<String> {
    let mut ids: Vec<String> = letters.iter().filter_map(|letter| letter.header("Message-ID")).collect();
    assert_eq!(ids.len(), letters.len(), "each letter has one");
    ids.sort();
    ids
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
