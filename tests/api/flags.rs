//! What smells wrong and can only be seen beside other things: the filer's other visits, and what the photos say.

use std::collections::HashMap;

use chrono::TimeDelta;
use harness::photos::{self, Camera, Photo};
use harness::{Submission, TestApp, codes, folders, on_both_databases, samples};
use reqwest::Method;
use serde_json::{Value, json};

on_both_databases!(
    nobody_is_in_two_towns_within_the_hour,
    visits_that_arrive_out_of_order_are_compared_all_the_same,
    a_days_drive_is_no_matter,
    a_photo_from_another_town_is_flagged,
    a_photo_from_another_hour_is_flagged,
    a_photo_sent_before_is_flagged_the_second_time,
    photos_that_came_before_the_answers_are_compared_too,
    a_corrected_visit_is_compared_anew,
    a_visit_far_from_its_facility_is_flagged_and_moves_up_the_queue,
);

/// The towns of the shared test points, by name. None: they are absent.
fn towns() -> Option<HashMap<String, (f64, f64)>> {
    let text = std::fs::read_to_string(folders::shared("geo/testpoints.csv")?).unwrap();
    let town = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        (fields.get(1) == Some(&"town"))
            .then(|| (fields[2].to_owned(), (fields[3].parse().unwrap(), fields[4].parse().unwrap())))
    };
    Some(text.lines().filter_map(town).collect())
}

/// An inspection at this place, from and until these times of 20 November.
fn visit((lat, lon): (f64, f64), from: &str, until: &str) -> Submission {
    let at = |time: &str| format!("2026-11-20T{time}:00+05:00");
    samples::b1()
        .without_photos()
        .fixed_at(lat, lon, 9.0)
        .at("started_at", at(from))
        .at("finished_at", at(until))
        .at("location/fixed_at", at(from))
}

fn flag<'a>(said: &'a Value, code: &str) -> Option<&'a Value> {
    said["flags"].as_array().unwrap().iter().find(|flag| flag["code"] == code)
}

async fn nobody_is_in_two_towns_within_the_hour(app: TestApp) {
    let Some(towns) = towns() else { return };
    let phone = app.inspector().await;
    let (first, second) =
        (visit(towns["Quetta"], "08:00", "09:00"), visit(towns["Turbat"], "10:00", "10:40"));

    let quetta = phone.file(&first).await.created();
    let turbat = phone.file(&second).await.created();
    let somebody_else = app.inspector_in("PK202").await.file(&second.clone().again()).await.created();

    assert!(flag(&quetta, "impossible_travel").is_none(), "{}", quetta["flags"]);
    let raised = flag(&turbat, "impossible_travel").expect("it is flagged");
    let figures = &raised["figures"];
    let (metres, kmh) = (figures["distance_m"].as_f64().unwrap(), figures["speed_kmh"].as_f64().unwrap());
    assert!((600_000.0..610_000.0).contains(&metres), "{figures}");
    assert!((600.0..610.0).contains(&kmh), "{figures}");
    assert_eq!((&figures["seconds"], &figures["limit_kmh"]), (&3600.into(), &150.0.into()));
    assert_eq!(figures["other"], first.id.to_string());
    assert!(
        ["en", "ur"]
            .iter()
            .all(|language| raised["message"][language].as_str().is_some_and(|it| it.len() > 10))
    );
    assert!(flag(&somebody_else, "impossible_travel").is_none(), "{}", somebody_else["flags"]);
    assert_eq!(phone.file(&second).await.ok()["flags"], turbat["flags"], "a resend is told the same");
    assert_eq!(phone.get(&format!("/v1/submissions/{}", second.id)).await.ok()["flags"], turbat["flags"]);
}

/// From where things smell wrong is the office's to say. By a server beside the others; a SQLite file has one only.
#[test]
fn the_office_says_from_where_on_things_smell_wrong() {
    harness::app::tell(harness::Backend::Postgres, harness::House::Plain, |app| async move {
        let Some(towns) = towns() else { return };
        let office = |config: &mut server::config::Config| {
            config.flags.travel_kmh = 1000.0;
            config.flags.poor_accuracy_m = 5.0;
        };
        let beside = app.beside(office).await;
        let phone = beside.inspector().await;
        phone.file(&visit(towns["Quetta"], "08:00", "09:00")).await.created();

        let turbat = phone.file(&visit(towns["Turbat"], "10:00", "10:40")).await.created();

        assert!(flag(&turbat, "impossible_travel").is_none(), "{}", turbat["flags"]);
        let accuracy = &flag(&turbat, "poor_accuracy").expect("nine metres are too many")["figures"];
        assert_eq!((&accuracy["accuracy_m"], &accuracy["limit_m"]), (&9.0.into(), &5.0.into()));
        beside.stop().await;
    });
}

async fn visits_that_arrive_out_of_order_are_compared_all_the_same(app: TestApp) {
    let Some(towns) = towns() else { return };
    let phone = app.inspector().await;
    let (later, earlier) = (visit(towns["Chaman"], "12:00", "12:40"), visit(towns["Duki"], "10:30", "11:45"));

    let first = phone.file(&later).await.created();
    let second = phone.file(&earlier).await.created();

    assert!(flag(&first, "impossible_travel").is_none());
    let figures = &flag(&second, "impossible_travel").expect("the late one is flagged")["figures"];
    assert_eq!(figures["seconds"], 900);
    assert_eq!(figures["other"], later.id.to_string());
}

async fn a_days_drive_is_no_matter(app: TestApp) {
    let Some(towns) = towns() else { return };
    let phone = app.inspector().await;

    for (town, from, until) in [
        ("Quetta", "06:00", "07:00"),
        ("Mastung", "08:00", "09:00"),
        ("Kalat", "11:00", "12:00"),
        ("Khuzdar", "15:00", "16:00"),
    ] {
        let said = phone.file(&visit(towns[town], from, until)).await.created();
        assert!(flag(&said, "impossible_travel").is_none(), "{town}: {}", said["flags"]);
    }
    // Next door while the other visit still went on: two forms of one round, not two places.
    let (lat, lon) = towns["Khuzdar"];
    let said = phone.file(&visit((lat + 0.01, lon), "15:30", "15:50")).await.created();
    assert!(flag(&said, "impossible_travel").is_none(), "{}", said["flags"]);
}

/// Files a visit to Quetta with this photo, does the jobs, and reads it as its supervisor does.
async fn read_with_photo(app: &TestApp, photo: &Photo) -> Value {
    let inspection = visit((30.18414, 67.00141), "12:00", "12:45").with_photo(photo.clone());
    app.inspector().await.file_whole(&inspection).await;
    app.run_jobs().await;
    app.supervisor().await.get(&format!("/v1/submissions/{}", inspection.id)).await.ok()
}

async fn a_photo_from_another_town_is_flagged(app: TestApp) {
    let Some(towns) = towns() else { return };
    let taken_in = |name: &str, town: &str| {
        photos::snapshot(name, &Camera { position: Some(towns[town]), ..Camera::default() })
    };

    let here = read_with_photo(&app, &taken_in("here.jpg", "Quetta")).await;
    let pishin = read_with_photo(&app, &taken_in("there.jpg", "Pishin")).await;

    assert!(flag(&here, "photo_far_from_fix").is_none(), "{}", here["flags"]);
    let figures = &flag(&pishin, "photo_far_from_fix").expect("it is flagged")["figures"];
    assert!((44_000.0..45_000.0).contains(&figures["distance_m"].as_f64().unwrap()), "{figures}");
    assert_eq!(figures["name"], "there.jpg");
    assert_eq!((&figures["photo_accuracy_m"], &figures["limit_m"]), (&12.0.into(), &500.0.into()));
}

async fn a_photo_from_another_hour_is_flagged(app: TestApp) {
    let taken = |name: &str, taken_at, offset| {
        photos::snapshot(name, &Camera { taken_at: Some(taken_at), offset, ..Camera::default() })
    };
    let during = [
        taken("a.jpg", "2026:11:20 12:20:00", Some("+05:00")),
        taken("b.jpg", "2026:11:20 07:20:00", Some("+00:00")),
        // A camera that gives no offset goes by the phone's time; half an hour is allowed either way.
        taken("c.jpg", "2026:11:20 13:10:00", None),
    ];
    for photo in &during {
        let said = read_with_photo(&app, photo).await;
        assert!(flag(&said, "photo_time_outside_visit").is_none(), "{}: {}", photo.name, said["flags"]);
    }

    let early = read_with_photo(&app, &taken("d.jpg", "2026:11:20 09:00:00", None)).await;
    let late = read_with_photo(&app, &taken("e.jpg", "2026:11:20 12:20:00", Some("+00:00"))).await;

    let (early, late) = (flag(&early, "photo_time_outside_visit"), flag(&late, "photo_time_outside_visit"));
    let figures = |flag: Option<&Value>| flag.expect("it is flagged")["figures"].clone();
    assert_eq!(figures(early)["minutes_outside_visit"], 180);
    assert_eq!(figures(early)["before_it"], true);
    assert_eq!(figures(late)["minutes_outside_visit"], 275);
    assert_eq!(figures(late)["before_it"], false);
}

async fn a_photo_sent_before_is_flagged_the_second_time(app: TestApp) {
    let photo = photos::snapshot("front.jpg", &Camera::default());

    let first = read_with_photo(&app, &photo).await;
    app.clock.advance(TimeDelta::minutes(1));
    let second = read_with_photo(&app, &photo).await;

    assert!(!codes(&first["flags"]).contains(&"photo_reused"), "{}", first["flags"]);
    assert_eq!(flag(&second, "photo_reused").expect("it is flagged")["figures"]["earlier_submissions"], 1);
    let path = format!("/v1/submissions/{}", first["id"].as_str().unwrap());
    let again = app.supervisor().await.get(&path).await.ok();
    assert!(!codes(&again["flags"]).contains(&"photo_reused"), "{}", again["flags"]);
}

async fn photos_that_came_before_the_answers_are_compared_too(app: TestApp) {
    let photo = photos::snapshot("front.jpg", &Camera { position: Some((26.0, 63.0)), ..Camera::default() });
    let inspection = visit((30.18414, 67.00141), "12:00", "12:45").with_photo(photo.clone());
    let phone = app.inspector().await;
    phone.upload(inspection.id, &photo).await.created();
    app.run_jobs().await;

    phone.file(&inspection).await.created();
    app.run_jobs().await;

    let read = phone.get(&format!("/v1/submissions/{}", inspection.id)).await.ok();
    assert!(flag(&read, "photo_far_from_fix").is_some(), "{}", read["flags"]);
    assert!(flag(&phone.file(&inspection).await.ok(), "photo_far_from_fix").is_some());
}

async fn a_corrected_visit_is_compared_anew(app: TestApp) {
    let Some(towns) = towns() else { return };
    let phone = app.inspector().await;
    phone.file(&visit(towns["Quetta"], "08:00", "09:00")).await.created();
    let wrong = visit(towns["Turbat"], "10:00", "10:40");
    let flagged = phone.file(&wrong).await.created();
    assert!(flag(&flagged, "impossible_travel").is_some());

    let (lat, lon) = towns["Quetta"];
    let right = wrong.fixed_at(lat, lon, 9.0);
    let corrected = phone.revise(&right, flagged["content_hash"].as_str().unwrap()).await.created();

    assert!(flag(&corrected, "impossible_travel").is_none(), "{}", corrected["flags"]);
    let read = phone.get(&format!("/v1/submissions/{}", right.id)).await.ok();
    assert!(flag(&read, "impossible_travel").is_none(), "{}", read["flags"]);
    let first = phone.get(&format!("/v1/submissions/{}/revisions/1", right.id)).await.ok();
    assert!(flag(&first, "impossible_travel").is_some(), "what was said of the first revision stands");
}

async fn a_visit_far_from_its_facility_is_flagged_and_moves_up_the_queue(app: TestApp) {
    let Some(towns) = towns() else { return };
    let (phone, quetta) = (app.inspector().await, towns["Quetta"]);
    let id = uuid::Uuid::new_v4();
    let facts = json!({
        "kind": "brick_kiln", "name_en": "Test Kiln", "district": "PK226",
        "position": { "lat": quetta.0, "lon": quetta.1, "accuracy_m": 20 }
    });
    phone.request(Method::PUT, &format!("/v1/facilities/{id}")).json(&facts).send().await.created();
    let at = |lat: f64| visit((lat, quetta.1), "12:00", "12:45").at("facility", id.to_string());

    let near = phone.file(&at(quetta.0 + 0.002)).await.created();
    // 0.009° of latitude are a kilometre.
    let far_visit = at(quetta.0 + 0.009);
    let far = phone.file(&far_visit).await.created();
    let nowhere = phone.file(&at(quetta.0).at("facility", uuid::Uuid::new_v4().to_string())).await.created();

    assert!(flag(&near, "far_from_facility").is_none(), "{}", near["flags"]);
    assert!(flag(&nowhere, "far_from_facility").is_none(), "{}", nowhere["flags"]);
    let figures = &flag(&far, "far_from_facility").expect("it is flagged")["figures"];
    assert!((990.0..1010.0).contains(&figures["distance_m"].as_f64().unwrap()), "{figures}");
    assert_eq!((&figures["accuracy_m"], &figures["facility_accuracy_m"]), (&9.0.into(), &20.0.into()));
    assert_eq!(figures["limit_m"], 300.0);
    let queue = app.supervisor().await.get("/v1/review-queue").await.ok();
    assert_eq!(queue["items"][0]["id"], far_visit.id.to_string(), "{queue}");
    assert!(
        queue["items"][0]["risk"]["flags"].as_i64() > queue["items"][1]["risk"]["flags"].as_i64(),
        "{queue}"
    );
}
