//! Two registrations that turn out to be one place: merging, undoing it, and all that must not come of it.

use harness::{TestApp, on_both_databases};
use serde_json::{Value, json};
use uuid::Uuid;

use super::facilities::{kiln, kiln_with, path, registered};

on_both_databases!(
    a_merged_place_says_where_it_went,
    a_merge_can_be_undone,
    chains_end_in_one_place_and_rings_are_refused,
    a_link_taken_out_of_a_chain_takes_along_what_came_through_it,
    of_two_that_merge_each_other_one_wins,
    only_supervisors_of_the_line_merge_what_they_see,
    visits_go_with_the_place,
);

fn id_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

fn into(path: &str) -> Value {
    json!({ "into": id_of(path) })
}

/// Kilns too far apart to be offered for one another.
async fn kilns(app: &TestApp, count: u32) -> Vec<String> {
    let phone = app.inspector().await;
    let mut paths = Vec::new();
    for n in 0..count {
        let name = ["Demo Karim", "Demo Shahid", "Demo Munir"][n as usize % 3];
        let place =
            kiln_with(json!({ "name_en": name, "position": { "lat": 29.0 + f64::from(n), "lon": 67.0 } }));
        paths.push(registered(&phone, &place).await);
    }
    paths
}

async fn a_merged_place_says_where_it_went(app: TestApp) {
    let supervisor = app.supervisor().await;
    let kilns = kilns(&app, 2).await;

    let merged = supervisor.post(&format!("{}/merge", kilns[0]), &into(&kilns[1])).await.ok();
    let again = supervisor.post(&format!("{}/merge", kilns[0]), &into(&kilns[1])).await.ok();

    assert_eq!(
        (merged["status"].as_str(), merged["merged_into"].as_str()),
        (Some("merged"), Some(id_of(&kilns[1])))
    );
    assert_eq!(again["revision"], merged["revision"]);
    assert_eq!(supervisor.get(&kilns[1]).await.ok()["merged"], json!([id_of(&kilns[0])]));
    // It is not listed, but its name finds the one that goes on.
    let found = supervisor.get("/v1/facilities?q=karim").await.ok();
    assert_eq!(found["items"][0]["id"], id_of(&kilns[1]), "{found}");
    assert_eq!(supervisor.get("/v1/facilities?status=merged").await.ok()["items"][0]["id"], id_of(&kilns[0]));
    // It is nobody's to change while it is merged.
    let etag = supervisor.get(&kilns[0]).await.header("etag").unwrap().to_owned();
    supervisor.patch_known(&kilns[0], &json!({ "capacity": 3 }), &etag).await.refused(409, "facility_merged");
    supervisor
        .post(&format!("{}/close", kilns[0]), &json!({ "reason": "x" }))
        .await
        .refused(409, "facility_merged");
    supervisor.post(&format!("{}/confirm", kilns[0]), &json!({})).await.refused(409, "facility_merged");
    // A phone that comes late with what it registered days ago is told what became of it.
    let late = kiln_with(json!({ "name_en": "Demo Karim", "position": { "lat": 29.0, "lon": 67.0 } }));
    let answer = app.inspector().await.put(&kilns[0], &late).await.ok();
    assert_eq!(answer["facility"]["merged_into"], id_of(&kilns[1]));
}

async fn a_merge_can_be_undone(app: TestApp) {
    let supervisor = app.supervisor().await;
    let kilns = kilns(&app, 2).await;
    supervisor.post(&format!("{}/confirm", kilns[0]), &json!({})).await.ok();
    let reason = json!({ "into": id_of(&kilns[1]), "reason": "same kiln" });
    supervisor.post(&format!("{}/merge", kilns[0]), &reason).await.ok();

    let apart = supervisor.post(&format!("{}/unmerge", kilns[0]), &json!({})).await.ok();

    assert_eq!((apart["status"].as_str(), &apart["merged_into"]), (Some("active"), &Value::Null));
    assert_eq!(supervisor.get(&kilns[1]).await.ok()["merged"], json!([]));
    let found = supervisor.get("/v1/facilities?q=karim").await.ok();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    assert_eq!(found["items"][0]["id"], id_of(&kilns[0]));
    supervisor.post(&format!("{}/unmerge", kilns[0]), &json!({})).await.refused(409, "not_merged");
    let actions = async |path: &str| {
        let history = supervisor.get(&format!("{path}/history")).await.ok();
        let events = history["items"].as_array().unwrap().clone();
        events.iter().map(|event| event["action"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(actions(&kilns[0]).await, ["registered", "confirmed", "merged", "unmerged"]);
    assert_eq!(actions(&kilns[1]).await, ["registered", "absorbed", "released"]);
}

async fn chains_end_in_one_place_and_rings_are_refused(app: TestApp) {
    let supervisor = app.supervisor().await;
    let kilns = kilns(&app, 3).await;
    supervisor.post(&format!("{}/merge", kilns[0]), &into(&kilns[1])).await.ok();

    supervisor.post(&format!("{}/merge", kilns[1]), &into(&kilns[0])).await.refused(409, "merge_cycle");
    supervisor.post(&format!("{}/merge", kilns[2]), &into(&kilns[2])).await.refused(409, "merge_cycle");
    supervisor.post(&format!("{}/merge", kilns[1]), &into(&kilns[2])).await.ok();
    supervisor.post(&format!("{}/merge", kilns[2]), &into(&kilns[0])).await.refused(409, "merge_cycle");

    assert_eq!(supervisor.get(&kilns[0]).await.ok()["merged_into"], id_of(&kilns[2]));
    assert_eq!(supervisor.get(&kilns[2]).await.ok()["merged"].as_array().unwrap().len(), 2);
    supervisor
        .post(&format!("{}/merge", kilns[2]), &json!({ "into": Uuid::new_v4() }))
        .await
        .refused(404, "facility_unknown");
}

async fn a_link_taken_out_of_a_chain_takes_along_what_came_through_it(app: TestApp) {
    let supervisor = app.supervisor().await;
    let kilns = kilns(&app, 3).await;
    supervisor.post(&format!("{}/merge", kilns[0]), &into(&kilns[1])).await.ok();
    supervisor.post(&format!("{}/merge", kilns[1]), &into(&kilns[2])).await.ok();

    supervisor.post(&format!("{}/unmerge", kilns[1]), &json!({})).await.ok();

    assert_eq!(supervisor.get(&kilns[0]).await.ok()["merged_into"], id_of(&kilns[1]));
    assert_eq!(supervisor.get(&kilns[1]).await.ok()["merged"], json!([id_of(&kilns[0])]));
    assert_eq!(supervisor.get(&kilns[2]).await.ok()["merged"], json!([]));
}

async fn of_two_that_merge_each_other_one_wins(app: TestApp) {
    let supervisor = app.supervisor().await;
    let kilns = kilns(&app, 2).await;
    let (here, there) = (format!("{}/merge", kilns[0]), format!("{}/merge", kilns[1]));
    let (over_there, over_here) = (into(&kilns[1]), into(&kilns[0]));

    let (one, other) =
        tokio::join!(supervisor.post(&here, &over_there), supervisor.post(&there, &over_here),);

    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} {}", one.text(), other.text());
    assert_eq!(app.count("facilities", "status = 'merged'"), 1);
}

async fn only_supervisors_of_the_line_merge_what_they_see(app: TestApp) {
    let kilns = kilns(&app, 2).await;
    let home = json!({ "kind": "orphanage", "name_en": "Demo Home", "district": "PK226" });
    let home = registered(&app.auditor().await, &home).await;

    for who in ["inspector", "labour-head", "analyst", "case-worker", "deputy-director", "admin"] {
        let answer = app.login(who).await.post(&format!("{}/merge", kilns[0]), &into(&kilns[1])).await;
        answer.refused(403, "not_permitted");
    }
    let swd = app.login("supervisor-swd").await;
    swd.post(&format!("{}/merge", kilns[0]), &into(&kilns[1])).await.refused(404, "facility_unknown");
    let supervisor = app.supervisor().await;
    supervisor.post(&format!("{}/merge", kilns[0]), &into(&home)).await.refused(404, "facility_unknown");
    let elsewhere = json!({ "role": "supervisor", "line": "labour", "areas": ["PK201"] });
    let elsewhere = app.account("supervisor-awaran", elsewhere).await;
    elsewhere.post(&format!("{}/merge", kilns[0]), &into(&kilns[1])).await.refused(404, "facility_unknown");
}

async fn visits_go_with_the_place(app: TestApp) {
    let supervisor = app.supervisor().await;
    let kilns = kilns(&app, 2).await;
    let visit = async |path: &str, submission: &'static str| {
        let (db, id) = (app.services().db.clone(), id_of(path).parse().unwrap());
        let at = app.clock.now();
        db.write(server::db::By::system(), move |tx| server::facilities::visited(tx, &id, at, submission))
            .await
            .unwrap();
    };
    let counted = async |path: &str| supervisor.get(path).await.ok()["visit_count"].clone();

    visit(&kilns[0], "one").await;
    visit(&kilns[0], "one").await;
    visit(&kilns[1], "two").await;
    assert_eq!((counted(&kilns[0]).await, counted(&kilns[1]).await), (json!(1), json!(1)));
    supervisor.post(&format!("{}/merge", kilns[0]), &into(&kilns[1])).await.ok();
    visit(&kilns[0], "three").await;
    assert_eq!(counted(&kilns[1]).await, json!(3));
    supervisor.post(&format!("{}/unmerge", kilns[0]), &json!({})).await.ok();

    assert_eq!((counted(&kilns[0]).await, counted(&kilns[1]).await), (json!(2), json!(1)));
    // An inspection may arrive before the place it was made at.
    let early = path(Uuid::new_v4());
    visit(&early, "four").await;
    let place = app.inspector().await.put(&early, &kiln()).await.created();
    assert_eq!(place["facility"]["visit_count"], 1);
    // Coverage tells them apart.
    app.clock.advance(chrono::Duration::days(400));
    let coverage = app.login("supervisor").await.get("/v1/facilities/coverage?district=PK226").await.ok();
    let quetta = &coverage["items"][0];
    assert_eq!(
        (&quetta["known"], &quetta["visited"], &quetta["overdue"]),
        (&json!(3), &json!(3), &json!(3)),
        "{coverage}"
    );
}
