//! Letters: telling people, on real parts. What the subjects share.

mod delivering;
mod settings;
mod telling;

use harness::sinks::MailServer;
use harness::{Person, TestApp};
use serde_json::{Value, json};
use server::config::Config;
use server::db::By;
use server::queue::{self, Job};

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
