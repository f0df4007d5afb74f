//! Cursors: what is small, what is refused, what starts anew.

use harness::{TestApp, on_both_databases, samples};

use super::phone::Phone;

on_both_databases!(
    nothing_new_is_said_in_a_few_bytes,
    a_cursor_is_good_for_one_account_on_one_device,
    a_cursor_that_was_tampered_with_is_unknown,
    a_cursor_nobody_has_used_for_two_months_starts_anew,
    a_cursor_of_before_a_restore_starts_anew,
);

async fn nothing_new_is_said_in_a_few_bytes(app: TestApp) {
    let mut phone = Phone::of(&app, "inspector", "phone-1").await;
    phone.person.file(&samples::b1().without_photos()).await.created();
    phone.sync(200).await;
    let before = app.count("changes", "true");

    let with_tag = phone.ask(200).await;
    let path = format!("/v1/sync?cursor={}", phone.cursor.as_deref().unwrap());
    let without = phone.person.get(&path).await;

    assert_eq!((with_tag.status, size(&with_tag) < 300), (304, true), "{} bytes", size(&with_tag));
    assert_eq!(without.status, 200);
    assert!(without.bytes.len() < 300, "{}", without.text());
    let members = without.json().as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(members, ["cursor", "more", "server_time"]);
    assert_eq!(app.count("changes", "true"), before, "asking writes nothing");
}

/// Status line, headers and body.
fn size(answer: &harness::client::Answer) -> usize {
    let headers = answer.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    "HTTP/1.1 304 Not Modified\r\n\r\n".len() + headers.sum::<usize>() + answer.bytes.len()
}

async fn a_cursor_is_good_for_one_account_on_one_device(app: TestApp) {
    let mut phone = Phone::of(&app, "inspector", "phone-1").await;
    phone.sync(200).await;
    let path = format!("/v1/sync?cursor={}", phone.cursor.as_deref().unwrap());
    app.inspector_in("PK226").await;
    let strangers = [
        Phone::of(&app, "inspector-pk226", "phone-1").await,
        Phone::of(&app, "inspector", "phone-2").await,
        Phone::of(&app, "auditor", "phone-1").await,
    ];

    for stranger in strangers {
        let problem = stranger.person.get(&path).await.refused(400, "cursor_unknown");
        assert!(problem["detail"].as_str().unwrap().contains("start anew without a cursor"));
    }
    phone.person.get(&path).await.expect(200);
}

async fn a_cursor_that_was_tampered_with_is_unknown(app: TestApp) {
    let mut phone = Phone::of(&app, "inspector", "phone-1").await;
    phone.sync(200).await;
    let good = phone.cursor.clone().unwrap();
    let changed = format!("{}A{}", &good[..50], &good[51..]);

    for bad in
        [&good[..good.len() - 4], &good[..10], "x", "%00", &changed, &"A".repeat(30_000), "1|0|0|PK226|0|"]
    {
        let answer = phone.person.get(&format!("/v1/sync?cursor={bad}")).await;
        assert!(
            answer.status == 400 && answer.json()["code"] == "cursor_unknown",
            "{bad:.60}: {}",
            answer.text()
        );
    }
    let limits = ["limit=0", "limit=100000", "limit=-1", "limit=x"];
    for limit in limits {
        let status = phone.person.get(&format!("/v1/sync?{limit}")).await.status;
        assert!([200, 400].contains(&status), "{limit}: {status}");
    }
}

async fn a_cursor_nobody_has_used_for_two_months_starts_anew(app: TestApp) {
    let mut phone = Phone::of(&app, "inspector", "phone-1").await;
    phone.sync(200).await;
    app.clock.advance(chrono::Duration::days(61));
    app.services().db.write(server::db::By::system(), server::feed::sweep).await.unwrap();
    let again = Phone::of(&app, "inspector", "phone-1").await;
    phone.person = again.person;

    let page = phone.ask(200).await.ok();

    assert_eq!(page["reset"], true);
    assert_eq!(app.count("changes", "true"), 0);
}

async fn a_cursor_of_before_a_restore_starts_anew(app: TestApp) {
    let mut phone = Phone::of(&app, "inspector", "phone-1").await;
    phone.sync(200).await;
    app.stop().await;
    // As a backup of another cluster would have it: numbers from the future.
    let restored = match app.backend() {
        harness::app::Backend::Postgres => "UPDATE changes SET xid = xid + 1000000000",
        harness::app::Backend::Sqlite => "INSERT INTO feed_epochs (epoch) VALUES (1)",
    };
    app.sql(restored).unwrap();
    let app = app.started_again().await;
    phone.person = Phone::of(&app, "inspector", "phone-1").await.person;

    let page = phone.ask(200).await.ok();
    assert_eq!(page["reset"], true);
    phone.sync(200).await;
    phone.person.file(&samples::b1().without_photos()).await.created();
    phone.sync(200).await;
    assert_eq!(phone.holds("receipts").len(), 1);
    app.stop().await;
}
