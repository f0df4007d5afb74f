//! Every deed leaves an event, and nobody can change the log without being found out.

use harness::app::Backend;
use harness::{TestApp, on_both_databases, samples};
use server::audit::{Fault, Report};
use server::db::By;

on_both_databases!(
    an_honest_log_verifies,
    an_altered_event_is_found,
    a_removed_event_is_found,
    an_event_removed_before_its_seal_is_found,
    events_in_another_order_are_found,
    an_event_put_in_past_the_program_is_sealed_and_seen,
    a_removed_seal_is_found,
    the_log_holds_no_answers_names_positions_or_tokens,
);

/// Files two inspections, so that there is something in the log, and has it sealed.
async fn lived_in(app: &TestApp) {
    let phone = app.inspector().await;
    phone.file_whole(&samples::b1()).await;
    phone.file(&samples::b2()).await.created();
    seal(app).await;
}

async fn seal(app: &TestApp) {
    let db = app.services().db;
    while db.read(server::audit::has_pending).await.unwrap() {
        db.write(By::system(), server::audit::seal_pending).await.unwrap();
    }
}

async fn verified(app: &TestApp) -> Report {
    app.services().db.read(server::audit::verify).await.unwrap()
}

/// Does it as somebody who owns the database would: with the triggers out of the way.
fn tamper(app: &TestApp, table: &str, statement: &str) {
    let out_of_the_way = match app.backend() {
        Backend::Sqlite => format!("DROP TRIGGER {table}_never_change; DROP TRIGGER {table}_never_go;"),
        Backend::Postgres => format!("DROP TRIGGER {table}_never_change ON {table};"),
    };
    app.sql(&format!("{out_of_the_way} {statement}")).unwrap();
}

async fn an_honest_log_verifies(app: TestApp) {
    lived_in(&app).await;

    let report = verified(&app).await;

    assert!(report.faults.is_empty(), "{:?}", report.faults);
    assert!(report.unsealed.is_empty(), "{:?}", report.unsealed);
    assert_eq!(report.sealed as i64, app.count("audit_events", "true"));
    assert!(report.seals > 0 && report.head.is_some());
}

async fn an_altered_event_is_found(app: TestApp) {
    lived_in(&app).await;
    tamper(&app, "audit_events", "UPDATE audit_events SET details = '{}' WHERE seq = 3;");

    assert_eq!(verified(&app).await.faults, [Fault::Altered { seq: 3 }]);
}

async fn a_removed_event_is_found(app: TestApp) {
    lived_in(&app).await;

    tamper(&app, "audit_events", "DELETE FROM audit_events WHERE seq = 3;");

    assert_eq!(verified(&app).await.faults, [Fault::Missing { seq: 3 }]);
}

async fn an_event_removed_before_its_seal_is_found(app: TestApp) {
    lived_in(&app).await;
    let add =
        "INSERT INTO audit_events (at, action, subject, details) VALUES (0, 'made.up', 'nothing:1', '{}');";
    app.sql(add).unwrap();
    tamper(&app, "audit_events", "DELETE FROM audit_events WHERE subject = 'nothing:1';");
    app.sql(add).unwrap();

    app.services().db.write(By::system(), server::audit::seal_pending).await.unwrap();

    let report = verified(&app).await;
    assert!(matches!(report.faults.as_slice(), [Fault::Missing { .. }]), "{:?}", report.faults);
    assert!(report.unsealed.is_empty(), "the next one is sealed all the same");
}

async fn events_in_another_order_are_found(app: TestApp) {
    lived_in(&app).await;

    let numbers = match app.backend() {
        Backend::Sqlite => "",
        Backend::Postgres => "ALTER TABLE audit_events ALTER seq DROP IDENTITY;",
    };
    let swap = "UPDATE audit_events SET seq = 1000003 WHERE seq = 3; UPDATE audit_events SET seq = 3 WHERE seq = 4; \
                UPDATE audit_events SET seq = 4 WHERE seq = 1000003;";
    tamper(&app, "audit_events", &format!("{numbers} {swap}"));

    let faults = verified(&app).await.faults;
    assert!(
        faults.contains(&Fault::Altered { seq: 3 }) && faults.contains(&Fault::Altered { seq: 4 }),
        "{faults:?}"
    );
}

async fn an_event_put_in_past_the_program_is_sealed_and_seen(app: TestApp) {
    lived_in(&app).await;
    let before = verified(&app).await.sealed;

    app.sql(
        "INSERT INTO audit_events (at, action, subject, details) VALUES (0, 'made.up', 'nothing:1', '{}')",
    )
    .unwrap();
    seal(&app).await;
    let sealed = verified(&app).await;
    app.sql("INSERT INTO audit_events (at, action, subject, details) VALUES (0, 'made.up', 'nothing:2', '{}'); DELETE FROM audit_unsealed").unwrap();
    let smuggled = verified(&app).await;

    assert_eq!((sealed.sealed, sealed.faults.len()), (before + 1, 0));
    assert!(matches!(smuggled.faults.as_slice(), [Fault::Unaccounted { .. }]), "{:?}", smuggled.faults);
}

async fn a_removed_seal_is_found(app: TestApp) {
    lived_in(&app).await;
    app.inspector().await.file(&samples::b3()).await.created();
    seal(&app).await;

    tamper(&app, "audit_seals", "DELETE FROM audit_seals WHERE n = 1;");

    let faults = verified(&app).await.faults;
    assert!(faults.iter().any(|fault| matches!(fault, Fault::BrokenSeal { .. })), "{faults:?}");
}

async fn the_log_holds_no_answers_names_positions_or_tokens(app: TestApp) {
    lived_in(&app).await;
    let phone = app.inspector().await;
    phone.get("/v1/submissions").await.ok();

    for secret in [
        "Coal incline",
        "Wants to go home",
        "30.16",
        "68.55",
        "CLI-LOR2",
        "eyJ",
        "Labour inspector",
        "a long enough password",
    ] {
        assert_eq!(
            app.count("audit_events", &format!("details LIKE '%{secret}%' OR subject LIKE '%{secret}%'")),
            0,
            "{secret}"
        );
    }
}
