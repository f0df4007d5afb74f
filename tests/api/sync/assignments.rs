//! Assignments on phones: brought with what is known of the place, dropped when they are no longer somebody's to do.

use chrono::Duration;
use harness::{TestApp, on_both_databases};
use serde_json::{Value, json};

use super::people::move_to;
use super::phone::Phone;
use crate::api::assignments::{place, remedied, visit};
use crate::api::facilities::kiln;

on_both_databases!(
    a_phone_is_brought_what_is_to_be_done_and_drops_what_is_done,
    what_a_colleague_took_is_dropped,
    a_new_phone_and_a_gained_area_bring_what_is_open,
);

async fn made(app: &TestApp, place: &str) -> Value {
    let body = json!({
        "form": "child-labour-inspection", "facility": place, "window": { "due": "2026-11-30" }, "reason": "look again",
    });
    app.supervisor().await.post("/v1/assignments", &body).await.created()
}

fn id(assignment: &Value) -> String {
    assignment["id"].as_str().unwrap().to_owned()
}

async fn a_phone_is_brought_what_is_to_be_done_and_drops_what_is_done(app: TestApp) {
    let mut phone = Phone::of(&app, "inspector", "phone-1").await;
    let place = place(&phone.person, &kiln()).await;
    let first = visit(&place, 20);
    phone.person.file_whole(&first).await;
    phone.sync(200).await;
    remedied(&app.supervisor().await, &first, "REC-01").await;

    phone.sync(200).await;
    let held = phone.holds("assignments");
    app.clock.advance(Duration::days(2));
    app.inspector().await.file(&visit(&place, 22)).await.created();
    let mut phone = phone.logged_in_again(&app, "inspector", "phone-1").await;
    phone.sync(200).await;

    let (_, brought) = held.first_key_value().unwrap_or_else(|| panic!("nothing was brought"));
    assert_eq!((&brought["facility"], &brought["mine"]), (&json!(place), &json!(false)));
    assert_eq!(brought["prev"]["last_visit"]["submission"], first.id.to_string());
    assert!(brought["prev"]["open_findings"].as_i64().unwrap() > 0, "{brought}");
    assert!(!brought.to_string().contains("CLI-QTA1"), "nothing about a child: {brought}");
    assert_eq!(phone.holds("assignments").len(), 0);
}

async fn what_a_colleague_took_is_dropped(app: TestApp) {
    let mut mine = Phone::of(&app, "inspector", "phone-1").await;
    app.account("colleague", json!({ "role": "inspector", "areas": ["PK226"] })).await;
    let mut theirs = Phone::of(&app, "colleague", "phone-2").await;
    let assignment = made(&app, &place(&mine.person, &kiln()).await).await;
    mine.sync(200).await;
    theirs.sync(200).await;
    assert!(mine.holds("assignments").contains_key(&id(&assignment)));

    let path = format!("/v1/assignments/{}/take", id(&assignment));
    theirs.person.post(&path, &json!({})).await.ok();
    mine.sync(200).await;
    theirs.sync(200).await;

    assert_eq!(mine.holds("assignments").len(), 0);
    assert_eq!(theirs.holds("assignments")[&id(&assignment)]["mine"], true);
}

async fn a_new_phone_and_a_gained_area_bring_what_is_open(app: TestApp) {
    let inspector = app.inspector().await;
    let assignment = made(&app, &place(&inspector, &kiln()).await).await;
    let cancelled = made(&app, &place(&inspector, &kiln()).await).await;
    let cancel = format!("/v1/assignments/{}/cancel", id(&cancelled));
    app.supervisor().await.post(&cancel, &json!({ "reason": "no" })).await.ok();
    app.inspector_in("PK201").await;

    let mut new = Phone::of(&app, "inspector", "phone-9").await;
    new.sync(1).await;
    let mut far = Phone::of(&app, "inspector-pk201", "phone-2").await;
    far.sync(200).await;
    let before = far.holds("assignments").len();
    move_to(&app, "inspector-pk201", &["PK201", "PK226"]).await;
    far.sync(200).await;
    let gained = far.holds("assignments");
    move_to(&app, "inspector-pk201", &["PK201"]).await;
    far.sync(200).await;

    assert_eq!(new.holds("assignments").keys().cloned().collect::<Vec<_>>(), [id(&assignment)]);
    assert_eq!((before, gained.len(), far.holds("assignments").len()), (0, 1, 0));
}
