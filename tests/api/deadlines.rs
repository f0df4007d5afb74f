//! Deadlines: they run by the server's clock, stand still for a reason, go up the referral matrix, and are never told twice.

use chrono::Duration;
use harness::{TestApp, deeds, on_both_databases, samples};
use serde_json::{Value, json};

on_both_databases!(
    nobody_owns_it_by_half_time_and_the_next_in_the_matrix_hears_of_it_once,
    what_is_owned_in_time_is_not_escalated,
    a_deadline_that_passes_is_a_breach_and_the_finding_can_be_finished_for_ever,
    deadline_nought_is_two_hours_and_the_same_day,
    what_arrives_after_its_deadline_is_a_breach_that_arrived_late,
    a_deadline_stands_still_for_a_reason,
    a_pause_ends_by_itself,
    alarms_survive_a_restart_and_are_given_once,
    what_is_put_right_before_the_clock_looks_is_a_breach_all_the_same,
);

fn times(finding: &Value, deed: &str) -> usize {
    deeds(finding).iter().filter(|it| **it == deed).count()
}

async fn nobody_owns_it_by_half_time_and_the_next_in_the_matrix_hears_of_it_once(app: TestApp) {
    let visit = samples::b3();
    app.inspector().await.file(&visit).await.created();
    // EDU-01: 14 days from 20 November, 12:45 in Quetta.
    app.clock.advance(Duration::days(7) - Duration::hours(5));
    app.run_jobs().await;
    let early = app.supervisor().await.finding(visit.id, "EDU-01").await;

    app.clock.advance(Duration::hours(1));
    app.run_jobs().await;
    app.run_jobs().await;
    app.clock.advance(Duration::days(1));
    app.run_jobs().await;

    let late = app.supervisor().await.finding(visit.id, "EDU-01").await;
    assert_eq!((times(&early, "finding.escalated"), times(&late, "finding.escalated")), (0, 1));
    let escalation = &late["history"][1]["details"];
    assert_eq!(escalation, &json!({ "because": "unacknowledged", "level": 1, "to": ["do_swd"] }));
    assert_eq!(
        (&late["level"], &late["state"], &late["overdue"]),
        (&json!(1), &json!("open"), &json!(false))
    );
    let told = format!("kind = 'finding.escalated' AND subject = 'finding:{}'", late["id"].as_str().unwrap());
    assert_eq!(app.count("notices", &told), 1);
}

async fn what_is_owned_in_time_is_not_escalated(app: TestApp) {
    let visit = samples::b3();
    app.inspector().await.file(&visit).await.created();
    let supervisor = app.supervisor().await;
    supervisor.acknowledge(&supervisor.finding(visit.id, "EDU-01").await).await;

    app.clock.advance(Duration::days(13));
    app.run_jobs().await;

    let finding = app.supervisor().await.finding(visit.id, "EDU-01").await;
    assert_eq!(deeds(&finding), ["finding.opened", "finding.acknowledged"]);
}

async fn a_deadline_that_passes_is_a_breach_and_the_finding_can_be_finished_for_ever(app: TestApp) {
    let visit = samples::b3();
    app.inspector().await.file(&visit).await.created();
    let supervisor = app.supervisor().await;
    supervisor.acknowledge(&supervisor.finding(visit.id, "EDU-01").await).await;

    app.clock.advance(Duration::days(15));
    app.run_jobs().await;
    app.run_jobs().await;
    app.clock.advance(Duration::days(200));
    app.run_jobs().await;

    let supervisor = app.supervisor().await;
    let finding = supervisor.finding(visit.id, "EDU-01").await;
    assert_eq!(
        deeds(&finding),
        ["finding.opened", "finding.acknowledged", "finding.breached", "finding.escalated"]
    );
    assert_eq!((&finding["overdue"], &finding["deadline"]), (&json!(true), &json!("breached")));
    let overdue = supervisor.get("/v1/findings?overdue=true&code=EDU-01").await.ok();
    assert_eq!(overdue["items"][0]["id"], finding["id"]);
    assert!(finding["may"].as_array().unwrap().contains(&json!("remedy")));
}

async fn deadline_nought_is_two_hours_and_the_same_day(app: TestApp) {
    let visit = samples::b3().at("finished_at", "2026-11-20T16:59:00+05:00");
    app.inspector().await.file(&visit).await.created();

    app.clock.advance(Duration::minutes(118));
    app.run_jobs().await;
    let before = app.supervisor().await.finding(visit.id, "AGE-02").await;
    app.clock.advance(Duration::minutes(2));
    app.run_jobs().await;
    let after = app.supervisor().await.finding(visit.id, "AGE-02").await;
    app.clock.advance(Duration::hours(5));
    app.run_jobs().await;
    let night = app.supervisor().await.finding(visit.id, "AGE-02").await;

    assert_eq!(deeds(&before), ["finding.opened"]);
    assert_eq!(after["history"][1]["details"]["to"], json!(["labour_head", "dd", "dc"]));
    assert_eq!(night["due_at"], "2026-11-20T18:59:59Z");
    assert_eq!(
        deeds(&night),
        ["finding.opened", "finding.escalated", "finding.breached", "finding.escalated"]
    );
}

async fn what_arrives_after_its_deadline_is_a_breach_that_arrived_late(app: TestApp) {
    let visit = samples::b3().at("finished_at", "2026-11-18T12:45:00+05:00");
    app.inspector().await.file(&visit).await.created();

    app.run_jobs().await;

    let finding = app.supervisor().await.finding(visit.id, "AGE-02").await;
    assert_eq!(deeds(&finding), ["finding.opened", "finding.breached", "finding.escalated"]);
    assert_eq!(finding["history"][1]["details"]["arrived_late"], true);
}

async fn a_deadline_stands_still_for_a_reason(app: TestApp) {
    let visit = samples::b3();
    app.inspector().await.file(&visit).await.created();
    let supervisor = app.supervisor().await;
    let page = supervisor.acknowledge(&supervisor.finding(visit.id, "EDU-01").await).await;
    let paused = supervisor.act(&page, "/pause", json!({ "reason": "the road is flooded" })).await.ok();
    supervisor.act(&paused, "/pause", json!({ "reason": "still" })).await.refused(409, "paused_already");

    app.clock.advance(Duration::days(30));
    app.run_jobs().await;
    let supervisor = app.supervisor().await;
    let still = supervisor.finding(visit.id, "EDU-01").await;
    let resumed = supervisor.act(&still, "/resume", json!({ "comment": "the road is open" })).await.ok();
    app.clock.advance(Duration::days(13));
    app.run_jobs().await;
    let running = app.supervisor().await.finding(visit.id, "EDU-01").await;
    app.clock.advance(Duration::days(1));
    app.run_jobs().await;
    let late = app.supervisor().await.finding(visit.id, "EDU-01").await;

    assert_eq!((&still["deadline"], &still["overdue"]), (&json!("paused"), &json!(false)));
    assert_eq!(resumed["due_at"], "2027-01-03T07:45:00Z", "4 December and thirty days");
    assert_eq!(resumed["history"][3]["details"]["seconds"], 30 * 86_400);
    assert_eq!((&running["deadline"], &late["deadline"]), (&json!("running"), &json!("breached")));
}

async fn a_pause_ends_by_itself(app: TestApp) {
    let visit = samples::b3();
    app.inspector().await.file(&visit).await.created();
    let supervisor = app.supervisor().await;
    let page = supervisor.finding(visit.id, "EDU-01").await;
    let until = json!({ "reason": "the court hears it", "until": "2026-12-20T12:00:00Z" });
    supervisor.act(&page, "/pause", until).await.ok();

    app.clock.advance(Duration::days(30));
    app.run_jobs().await;

    let finding = app.supervisor().await.finding(visit.id, "EDU-01").await;
    assert_eq!(deeds(&finding), ["finding.opened", "finding.paused", "finding.resumed"]);
    assert_eq!(finding["history"][2]["by"], Value::Null, "by the clock");
}

async fn alarms_survive_a_restart_and_are_given_once(app: TestApp) {
    let visit = samples::b3();
    app.inspector().await.file(&visit).await.created();
    app.stop().await;

    let app = app.started_again().await;
    app.clock.advance(Duration::days(8));
    app.run_jobs().await;
    app.stop().await;
    let app = app.started_again().await;
    app.clock.advance(Duration::days(8));
    app.run_jobs().await;

    let finding = app.supervisor().await.finding(visit.id, "EDU-01").await;
    assert_eq!(deeds(&finding), ["finding.opened", "finding.escalated"]);
    app.stop().await;
}

async fn what_is_put_right_before_the_clock_looks_is_a_breach_all_the_same(app: TestApp) {
    let visit = samples::b3().with_photo(harness::photos::jpeg("school.jpg", "school"));
    app.inspector().await.file_whole(&visit).await;
    let supervisor = app.supervisor().await;
    supervisor.acknowledge(&supervisor.finding(visit.id, "EDU-01").await).await;
    app.clock.advance(Duration::days(20));
    let supervisor = app.supervisor().await;
    let page = supervisor.finding(visit.id, "EDU-01").await;

    let done = json!({ "to": "remedied", "comment": "enrolled", "evidence": { "media": ["school.jpg"] } });
    let remedied = supervisor.step(&page, done).await.ok();
    app.run_jobs().await;

    let finding = supervisor.get(&harness::cases::at(&remedied, "")).await.ok();
    assert_eq!(
        deeds(&finding),
        ["finding.opened", "finding.acknowledged", "finding.breached", "finding.remedied"]
    );
    assert_eq!(finding["deadline"], "breached");
}
