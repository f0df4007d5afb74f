//! The register of facilities: a place is registered offline, looked for, confirmed, corrected, closed, and seen only by
//! those whose line and area it lies in.

use harness::{Person, TestApp, folders, on_both_databases};
use serde_json::{Value, json};
use uuid::Uuid;

on_both_databases!(
    a_place_registered_twice_is_registered_once,
    other_facts_need_to_know_the_stored_ones,
    a_place_in_urdu_is_offered_for_one_in_english,
    a_supervisor_confirms_what_somebody_else_registered,
    a_supervisor_corrects_and_a_stale_page_changes_nothing,
    a_place_is_closed_with_a_reason_and_opened_again,
    every_change_stays_in_the_history,
    areas_and_lines_are_walls,
    only_those_who_need_them_see_the_people,
    places_are_found_by_name_in_both_scripts,
    places_are_found_by_code_nearness_and_box,
    pages_hold_every_place_once,
    swapped_coordinates_are_noticed,
    what_makes_no_sense_is_named,
    a_place_is_read_again_only_when_it_changed,
    boundaries_that_come_later_move_a_place_to_its_district,
);

/// A brick kiln in Quetta.
pub(super) fn kiln() -> Value {
    json!({
        "kind": "brick_kiln", "name_en": "Demo Karim Brick Kiln",
        "position": { "lat": 30.1921, "lon": 67.0075, "accuracy_m": 9.0, "fixed_at": "2026-11-20T08:14:02+05:00" },
        "district": "PK226", "capacity": 60,
        "contact": { "name": "the munshi", "phone": "0300-0000000" }
    })
}

/// The kiln with other members.
pub(super) fn kiln_with(members: Value) -> Value {
    let mut kiln = kiln();
    for (member, value) in members.as_object().unwrap() {
        kiln[member] = value.clone();
    }
    kiln
}

pub(super) fn path(id: Uuid) -> String {
    format!("/v1/facilities/{id}")
}

/// Registers a place, and gives its path.
pub(super) async fn registered(person: &Person, place: &Value) -> String {
    let path = path(Uuid::new_v4());
    person.put(&path, place).await.created();
    path
}

/// A page's codes, in its order.
fn codes(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().into_iter().flatten();
    items.filter_map(|item| item["code"].as_str().map(str::to_owned)).collect()
}

async fn code_of(person: &Person, path: &str) -> String {
    person.get(path).await.ok()["code"].as_str().unwrap().to_owned()
}

async fn a_place_registered_twice_is_registered_once(app: TestApp) {
    let phone = app.inspector().await;
    let path = path(Uuid::new_v4());

    let first = phone.put(&path, &kiln()).await.created();
    app.clock.advance(chrono::Duration::days(3));
    let phone = app.inspector().await;
    let again = phone.put(&path, &kiln()).await.ok();

    assert_eq!(first["facility"]["code"], "PK226-K-0001");
    assert_eq!(first["facility"]["status"], "provisional");
    assert_eq!(first["facility"]["line"], "labour");
    assert_eq!(first["facility"]["district"]["name_en"], "Quetta");
    assert_eq!(first["facility"]["licensed"], false);
    assert_eq!(again["facility"], first["facility"]);
    assert_eq!(app.count("facility_events", "action = 'registered'"), 1);
    assert_eq!(app.count("audit_events", "action = 'facility.registered'"), 1);
    // The number goes on, a kind of its own in a series of its own.
    let second = kiln_with(json!({ "name_en": "Demo Shahid Brothers", "position": null }));
    assert_eq!(
        phone.put(&super::facilities::path(Uuid::new_v4()), &second).await.created()["facility"]["code"],
        "PK226-K-0002"
    );
    let shop = kiln_with(json!({ "kind": "shop", "name_en": "Demo Corner", "position": null }));
    assert_eq!(
        phone.put(&super::facilities::path(Uuid::new_v4()), &shop).await.created()["facility"]["code"],
        "PK226-S-0001"
    );
}

async fn other_facts_need_to_know_the_stored_ones(app: TestApp) {
    let phone = app.inspector().await;
    let path = path(Uuid::new_v4());
    let etag = phone.put(&path, &kiln()).await.expect(201).header("etag").unwrap().to_owned();
    let larger = kiln_with(json!({ "capacity": 80 }));

    phone.put(&path, &larger).await.refused(409, "facility_conflict");
    let revised = phone.put_known(&path, &larger, &etag).await.created();
    phone.put_known(&path, &kiln_with(json!({ "capacity": 90 })), &etag).await.refused(412, "facility_stale");
    // What was sent first and comes late is no error.
    let late = phone.put(&path, &kiln()).await.ok();

    assert_eq!(revised["facility"]["capacity"], 80);
    assert_eq!(late["facility"]["capacity"], 80);
    let stranger = app.inspector_in("PK201").await;
    stranger.put(&path, &kiln()).await.refused(404, "facility_unknown");
    let nobody_knows = super::facilities::path(Uuid::new_v4());
    phone.put_known(&nobody_knows, &kiln(), &etag).await.refused(412, "nothing_to_revise");
}

async fn a_place_in_urdu_is_offered_for_one_in_english(app: TestApp) {
    let phone = app.inspector().await;
    let english = registered(&phone, &kiln()).await;
    registered(
        &phone,
        &kiln_with(json!({ "name_en": "Demo Sunrise Kiln", "position": { "lat": 30.30, "lon": 67.2 } })),
    )
    .await;

    let urdu = json!({
        "kind": "brick_kiln", "name_ur": "ڈیمو كريم بھٹہ خشت", "position": { "lat": 30.1925, "lon": 67.0079, "accuracy_m": 30 }
    });
    let answer = phone.put(&path(Uuid::new_v4()), &urdu).await.created();

    let offers = answer["possible_duplicates"].as_array().unwrap();
    assert_eq!(offers.len(), 1, "{answer}");
    assert_eq!(offers[0]["code"], code_of(&phone, &english).await);
    assert!(offers[0]["score"].as_f64().unwrap() > 0.8, "{answer}");
    assert!((50.0..70.0).contains(&offers[0]["distance_m"].as_f64().unwrap()), "{answer}");
    // A home for children is never a kiln, whatever it is called and wherever it stands.
    let home = json!({ "kind": "orphanage", "name_en": "Demo Karim", "position": { "lat": 30.1921, "lon": 67.0075 } });
    let home = app.auditor().await.put(&path(Uuid::new_v4()), &home).await.created();
    assert_eq!(home["possible_duplicates"], json!([]));
}

async fn a_supervisor_confirms_what_somebody_else_registered(app: TestApp) {
    let (phone, supervisor) = (app.inspector().await, app.supervisor().await);
    let first = registered(&phone, &kiln()).await;
    let second = registered(&phone, &kiln_with(json!({ "name_en": "Demo Kareem Bhatta" }))).await;
    supervisor.post(&format!("{first}/confirm"), &json!({})).await.refused(409, "possible_duplicates");
    let other = supervisor.get(&second).await.ok()["id"].clone();

    let confirmed =
        supervisor.post(&format!("{first}/confirm"), &json!({ "not_duplicates": [other] })).await.ok();
    let again = supervisor.post(&format!("{first}/confirm"), &json!({})).await.ok();

    assert_eq!(confirmed["facility"]["status"], "active");
    assert_eq!(again["facility"]["status"], "active");
    // They are two, and are not offered again.
    assert_eq!(confirmed["possible_duplicates"], json!([]));
    assert_eq!(supervisor.get(&format!("{second}/duplicates")).await.ok()["items"], json!([]));
    supervisor.post(&format!("{second}/confirm"), &json!({})).await.ok();
    // An inspector confirms nothing, and no longer revises what is confirmed.
    phone.post(&format!("{first}/confirm"), &json!({})).await.refused(403, "not_permitted");
    let etag = phone.get(&first).await.header("etag").unwrap().to_owned();
    let changed = kiln_with(json!({ "capacity": 3 }));
    phone.put_known(&first, &changed, &etag).await.refused(403, "facility_not_yours");
}

async fn a_supervisor_corrects_and_a_stale_page_changes_nothing(app: TestApp) {
    let (phone, supervisor) = (app.inspector().await, app.supervisor().await);
    let path = registered(&phone, &kiln()).await;
    let etag = supervisor.get(&path).await.header("etag").unwrap().to_owned();
    supervisor.patch(&path, &json!({ "capacity": 1 })).await.refused(400, "if_match_missing");

    let corrected =
        supervisor.patch_known(&path, &json!({ "capacity": null, "aliases": ["K-1"] }), &etag).await.ok();
    supervisor.patch_known(&path, &json!({ "capacity": 7 }), &etag).await.refused(412, "facility_stale");

    assert_eq!(corrected["capacity"], Value::Null);
    assert_eq!(corrected["aliases"], json!(["K-1"]));
    assert_eq!(supervisor.get(&path).await.ok()["revision"], 2);
    let etag = supervisor.get(&path).await.header("etag").unwrap().to_owned();
    for (patch, status, code) in [
        (json!({ "colour": "red" }), 400, "unknown_member"),
        (json!({ "kind": "castle" }), 400, "bad_facility"),
        (json!({ "kind": "orphanage" }), 403, "other_line"),
        (json!({ "name_en": null }), 400, "bad_facility"),
    ] {
        supervisor.patch_known(&path, &patch, &etag).await.refused(status, code);
    }
    phone.patch_known(&path, &json!({ "capacity": 7 }), &etag).await.refused(403, "not_permitted");
}

async fn a_place_is_closed_with_a_reason_and_opened_again(app: TestApp) {
    let (phone, supervisor) = (app.inspector().await, app.supervisor().await);
    let path = registered(&phone, &kiln()).await;

    supervisor.post(&format!("{path}/close"), &json!({})).await.refused(400, "reason_missing");
    let closed = supervisor.post(&format!("{path}/close"), &json!({ "reason": "demolished" })).await.ok();
    supervisor.post(&format!("{path}/confirm"), &json!({})).await.refused(409, "facility_closed");
    let opened = supervisor.post(&format!("{path}/reopen"), &json!({ "reason": "rebuilt" })).await.ok();

    assert_eq!((closed["status"].as_str(), opened["status"].as_str()), (Some("closed"), Some("active")));
}

async fn every_change_stays_in_the_history(app: TestApp) {
    let (phone, supervisor) = (app.inspector().await, app.supervisor().await);
    let path = registered(&phone, &kiln()).await;
    let etag = supervisor.get(&path).await.header("etag").unwrap().to_owned();
    let moved = json!({ "position": { "lat": 30.2, "lon": 67.01 } });
    supervisor.patch_known(&path, &moved, &etag).await.ok();
    supervisor.post(&format!("{path}/confirm"), &json!({})).await.ok();

    let history = supervisor.get(&format!("{path}/history")).await.ok();
    let first = supervisor.get(&format!("{path}/history?limit=1")).await.ok();
    let next = first["next"].as_str().unwrap();
    let rest = supervisor.get(&format!("{path}/history?limit=5&after={next}")).await.ok();

    let events = history["items"].as_array().unwrap();
    let actions: Vec<&str> = events.iter().filter_map(|event| event["action"].as_str()).collect();
    assert_eq!(actions, ["registered", "corrected", "confirmed"]);
    // The position's own history: as it was, and as it was corrected to; the rest of it stayed.
    assert_eq!(events[0]["facts"]["position"]["lat"], 30.1921);
    assert_eq!(events[1]["facts"]["position"]["lat"], 30.2);
    assert_eq!(events[1]["facts"]["position"]["accuracy_m"], 9.0);
    assert_eq!(rest["items"].as_array().unwrap()[..], events[1..]);
    assert!(app.sql("UPDATE facility_events SET action = 'closed'").is_err());
    assert!(app.sql("DELETE FROM facility_events").is_err());
}

async fn areas_and_lines_are_walls(app: TestApp) {
    let (phone, auditor) = (app.inspector().await, app.auditor().await);
    let kiln_path = registered(&phone, &kiln()).await;
    let home = json!({ "kind": "orphanage", "name_en": "Demo Noor Home", "district": "PK226" });
    let home_path = registered(&auditor, &home).await;
    auditor.put(&path(Uuid::new_v4()), &kiln()).await.refused(403, "other_line");
    phone.put(&path(Uuid::new_v4()), &home).await.refused(403, "other_line");

    for (who, sees_kiln, sees_home) in [
        ("inspector", true, false),
        ("auditor", false, true),
        ("supervisor", true, false),
        ("supervisor-swd", false, true),
        ("deputy-director", false, true),
        ("labour-head", true, false),
        ("case-worker", true, true),
        ("analyst", true, true),
    ] {
        let person = app.login(who).await;
        for (place, sees) in [(&kiln_path, sees_kiln), (&home_path, sees_home)] {
            assert_eq!(person.get(place).await.status, if sees { 200 } else { 404 }, "{who} {place}");
            for part in ["history", "duplicates"] {
                let status = person.get(&format!("{place}/{part}")).await.status;
                assert_eq!(status, if sees { 200 } else { 404 }, "{who} {place} {part}");
            }
        }
        for query in ["", "?q=demo", "?near=30.1921,67.0075", "?bbox=66,30,68,31", "?code=PK226"] {
            let page = person.get(&format!("/v1/facilities{query}")).await.ok();
            let located = query.contains("near") || query.contains("bbox");
            let expected = usize::from(sees_kiln) + usize::from(sees_home && !located);
            assert_eq!(codes(&page).len(), expected, "{who} {query}");
        }
    }
    for stranger in ["enumerator", "committee1", "admin", "oversight", "log-auditor"] {
        let person = app.login(stranger).await;
        assert_eq!(person.get(&kiln_path).await.status, 403, "{stranger}");
        assert_eq!(person.get("/v1/facilities").await.status, 403, "{stranger}");
    }
    let elsewhere = app.inspector_in("PK201").await;
    elsewhere.get(&kiln_path).await.refused(404, "facility_unknown");
    assert!(codes(&elsewhere.get("/v1/facilities?q=karim").await.ok()).is_empty());
    // What one registers beyond one's own area one still sees; it is said that it lies elsewhere.
    let own = path(Uuid::new_v4());
    let answer = elsewhere.put(&own, &kiln_with(json!({ "name_en": "Demo Far" }))).await.created();
    assert_eq!(harness::codes(&answer["warnings"]), ["other_area"]);
    elsewhere.get(&own).await.ok();
}

async fn only_those_who_need_them_see_the_people(app: TestApp) {
    let phone = app.inspector().await;
    let with_owner =
        kiln_with(json!({ "operator": { "code": "OWN-1", "name": "Demo Owner", "ownership": "sole" } }));
    let path = registered(&phone, &with_owner).await;
    let household = json!({ "kind": "domestic", "name_en": "Demo household", "district": "PK226" });
    let private = registered(&phone, &household).await;

    for who in ["inspector", "supervisor", "case-worker", "labour-head"] {
        let seen = app.login(who).await.get(&path).await.ok();
        assert_eq!(seen["contact"]["phone"], "0300-0000000", "{who}");
        assert_eq!(seen["operator"]["name"], "Demo Owner", "{who}");
    }
    let analyst = app.login("analyst").await;
    let seen = analyst.get(&path).await.ok();
    assert_eq!(seen["contact"], Value::Null);
    assert_eq!(seen["operator"], json!({ "code": "OWN-1", "name": null, "ownership": "sole" }));
    assert_eq!(seen["withheld"], json!(["contact", "operator.name"]));
    let history = analyst.get(&format!("{path}/history")).await.text();
    assert!(!history.contains("Demo Owner") && !history.contains("0300-0000000"));
    analyst.get(&private).await.refused(404, "facility_unknown");
    assert_eq!(codes(&analyst.get("/v1/facilities").await.ok()).len(), 1);
}

async fn places_are_found_by_name_in_both_scripts(app: TestApp) {
    let phone = app.inspector().await;
    let places = [
        json!({ "kind": "brick_kiln", "name_en": "Haji Karim Brick Kiln", "aliases": ["Purana Bhatta"], "district": "PK226" }),
        json!({ "kind": "brick_kiln", "name_ur": "شاہد برادرز بھٹہ", "district": "PK226" }),
        json!({ "kind": "workshop", "name_en": "Shaheen Auto Workshop", "district": "PK226" }),
    ];
    let mut paths = Vec::new();
    for place in &places {
        paths.push(registered(&phone, place).await);
    }
    let (karim, shahid, shaheen) = (
        code_of(&phone, &paths[0]).await,
        code_of(&phone, &paths[1]).await,
        code_of(&phone, &paths[2]).await,
    );

    let first = async |query: &str| {
        let page =
            phone.request(reqwest::Method::GET, "/v1/facilities").query(&[("q", query)]).send().await.ok();
        codes(&page).first().cloned()
    };

    for query in ["karim", "Haji Kar", "KAREEM", "krim", "purana", "حاجی کریم", "كريم", "haji karim bhatta"]
    {
        assert_eq!(first(query).await.as_ref(), Some(&karim), "{query}");
    }
    for query in ["شاہد", "شاهد برادرز", "shahid brothers"] {
        assert_eq!(first(query).await.as_ref(), Some(&shahid), "{query}");
    }
    assert_eq!(first("shahen").await.as_ref(), Some(&shaheen));
    assert_eq!(first("zzyzx").await, None);
    // A question that names only a kind means the kind.
    let kilns =
        phone.request(reqwest::Method::GET, "/v1/facilities").query(&[("q", "بھٹہ")]).send().await.ok();
    assert_eq!(codes(&kilns).len(), 2);
}

async fn places_are_found_by_code_nearness_and_box(app: TestApp) {
    let phone = app.inspector().await;
    let mut codes_by_distance = Vec::new();
    for (n, lat) in [30.1921, 30.1939, 30.2200, 30.5000].into_iter().enumerate() {
        let place =
            kiln_with(json!({ "name_en": format!("Demo {n}"), "position": { "lat": lat, "lon": 67.0075 } }));
        codes_by_distance.push(code_of(&phone, &registered(&phone, &place).await).await);
    }
    let found = async |query: &str| codes(&phone.get(&format!("/v1/facilities?{query}")).await.ok());

    assert_eq!(found("near=30.1921,67.0075").await, codes_by_distance[..2]);
    assert_eq!(found("near=30.1921,67.0075&radius_m=5000").await, codes_by_distance[..3]);
    assert_eq!(found("near=30.1921,67.0075&radius_m=50000").await, codes_by_distance);
    assert_eq!(found("bbox=67.0,30.19,67.1,30.23").await, codes_by_distance[..3]);
    assert_eq!(found("bbox=60,24,71,33").await, codes_by_distance);
    assert_eq!(found("bbox=-180,-90,180,90").await, codes_by_distance);
    assert_eq!(
        found(&format!("code={}", codes_by_distance[2].to_lowercase())).await,
        codes_by_distance[2..3]
    );
    assert_eq!(found("code=PK226-K").await.len(), 4);
    assert_eq!(found("kind=shop").await.len(), 0);
    assert_eq!(found("district=PK226&status=provisional&line=labour").await.len(), 4);
    assert_eq!(found("q=demo&near=30.1921,67.0075").await.len(), 2);
    let nearest = phone.get("/v1/facilities?near=30.1921,67.0075&limit=1").await.ok();
    assert_eq!(nearest["items"][0]["distance_m"], 0.0);
    let next = nearest["next"].as_str().unwrap();
    assert_eq!(found(&format!("near=30.1921,67.0075&limit=1&after={next}")).await, codes_by_distance[1..2]);
}

async fn pages_hold_every_place_once(app: TestApp) {
    let phone = app.inspector().await;
    for n in 0..7 {
        let place = kiln_with(
            json!({ "name_en": format!("Demo Karim {n}"), "position": { "lat": 30.0 + f64::from(n), "lon": 67.0 } }),
        );
        phone.put(&path(Uuid::new_v4()), &place).await.created();
    }

    for query in ["", "q=karim&", "near=30.0,67.0&radius_m=50000&"] {
        let mut seen = Vec::new();
        let mut page = phone.get(&format!("/v1/facilities?{query}limit=3")).await.ok();
        loop {
            seen.extend(codes(&page));
            let Some(next) = page["next"].as_str() else { break };
            page = phone.get(&format!("/v1/facilities?{query}limit=3&after={next}")).await.ok();
        }
        let (count, mut distinct) = (seen.len(), seen);
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), count, "{query}");
        assert_eq!(count, if query.contains("near") { 1 } else { 7 }, "{query}");
    }
}

async fn swapped_coordinates_are_noticed(app: TestApp) {
    let (phone, supervisor) = (app.inspector().await, app.supervisor().await);
    let swapped = kiln_with(json!({ "position": { "lat": 67.0075, "lon": 30.1921 } }));
    let path = path(Uuid::new_v4());

    // What comes from the field is kept, and said to be odd; it is not confirmed as it is.
    let answer = phone.put(&path, &swapped).await.created();
    supervisor.post(&format!("{path}/confirm"), &json!({})).await.refused(409, "swapped_coordinates");
    let etag = supervisor.get(&path).await.header("etag").unwrap().to_owned();
    let right = json!({ "position": { "lat": 30.1921, "lon": 67.0075 } });
    supervisor.patch_known(&path, &right, &etag).await.ok();

    assert_eq!(harness::codes(&answer["warnings"]), ["swapped_coordinates"]);
    assert!(answer["warnings"][0]["message"]["ur"].is_string());
    supervisor.post(&format!("{path}/confirm"), &json!({})).await.ok();
}

async fn what_makes_no_sense_is_named(app: TestApp) {
    let phone = app.inspector().await;
    let path = path(Uuid::new_v4());

    for (place, code) in [
        (json!({}), "bad_facility"),
        (json!([1]), "bad_facility"),
        (kiln_with(json!({ "kind": "castle" })), "bad_facility"),
        (kiln_with(json!({ "name_en": "\u{0}" })), "bad_facility"),
        (kiln_with(json!({ "position": { "lat": 95, "lon": 67 } })), "bad_facility"),
        (kiln_with(json!({ "district": "PK999" })), "bad_facility"),
        (kiln_with(json!({ "name_en": "x".repeat(201) })), "bad_facility"),
        (kiln_with(json!({ "registrations": [{ "body": "none" }] })), "bad_facility"),
    ] {
        let answer = phone.put(&path, &place).await;
        // A name of nothing but U+0000 is shown as what it is, and stored so.
        if answer.status != 201 {
            answer.refused(400, code);
        }
    }
    phone.put("/v1/facilities/kiln", &kiln()).await.refused(400, "bad_id");
    phone.put(&path, &kiln_with(json!({ "note": "x".repeat(70_000) }))).await.refused(413, "body_too_large");
    for (query, code) in [
        ("near=67", "bad_near"),
        ("near=95,67", "bad_coordinates"),
        ("near=30,67&radius_m=0", "bad_radius"),
        ("near=30,67&radius_m=900000", "bad_radius"),
        ("near=30,67&radius_m=NaN", "bad_radius"),
        ("bbox=1,2", "bad_bbox"),
        ("kind=castle", "unknown_kind"),
        ("status=haunted", "bad_query"),
        ("after=nonsense", "bad_cursor"),
        ("q=demo&after=nonsense", "bad_cursor"),
    ] {
        phone.get(&format!("/v1/facilities?{query}")).await.refused(400, code);
    }
    phone.get(&super::facilities::path(Uuid::new_v4())).await.refused(404, "facility_unknown");
    // Neither a wild card nor a quote means anything in a name.
    for query in ["q=%25", "q=%27%3B--", "q=%00", "q=%E2%80%8F", "code=%25"] {
        assert!(codes(&phone.get(&format!("/v1/facilities?{query}")).await.ok()).is_empty(), "{query}");
    }
}

async fn a_place_is_read_again_only_when_it_changed(app: TestApp) {
    let (phone, supervisor) = (app.inspector().await, app.supervisor().await);
    let path = registered(&phone, &kiln()).await;
    let etag = phone.get(&path).await.header("etag").unwrap().to_owned();
    let again = async || {
        phone.request(reqwest::Method::GET, &path).header("If-None-Match", &etag).send().await.status
    };

    let unchanged = again().await;
    supervisor.post(&format!("{path}/confirm"), &json!({})).await.ok();
    let changed = again().await;

    assert_eq!((unchanged, changed), (304, 200));
}

async fn boundaries_that_come_later_move_a_place_to_its_district(app: TestApp) {
    let Some(districts) = folders::shared("geo/bal_adm2_2023_34.geojson") else { return };
    let phone = app.inspector().await;
    let path = registered(&phone, &kiln_with(json!({ "district": "PK220" }))).await;
    let answered = phone.get(&path).await.ok();

    let db = app.services().db.clone();
    let importing =
        move || server::places::import_file(&db, &districts, &server::places::ImportOptions::default());
    tokio::task::spawn_blocking(importing).await.unwrap().unwrap();
    let mut located = answered.clone();
    for _ in 0..100 {
        if located["district"]["code"] == "PK226" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        located = phone.get(&path).await.ok();
    }

    assert_eq!(answered["district"]["code"], "PK220");
    assert_eq!(located["district"]["code"], "PK226");
    assert_eq!((&located["code"], &located["revision"]), (&json!("PK220-K-0001"), &json!(1)));
    let history = phone.get(&format!("{path}/history")).await.ok();
    assert_eq!(history["items"][1]["action"], "relocated");
}
