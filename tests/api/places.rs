//! Where a point lies: the independent test points, bad questions, and what happens when boundaries come later.

use std::collections::HashMap;
use std::time::Duration;

use harness::{TestApp, folders, on_both_databases, samples};
use serde_json::Value;

on_both_databases!(
    without_boundaries_a_point_is_not_placed,
    a_question_that_makes_no_sense_is_refused,
    boundaries_that_come_later_tag_what_was_filed_before,
);

mod on_the_map {
    use super::*;

    on_both_databases!(in WithBoundaries: every_test_point_lies_where_it_should, the_map_can_be_drawn);

    async fn every_test_point_lies_where_it_should(app: TestApp) {
        let Some(points) = folders::shared("geo/testpoints.csv") else { return };
        let phone = app.inspector().await;
        let mut wrong = Vec::new();
        for point in table(&std::fs::read_to_string(points).unwrap()) {
            let path = format!(
                "/v1/places/locate?lat={}&lon={}&accuracy_m={}",
                point["lat"], point["lon"], point["accuracy_m"]
            );
            let answer = phone.get(&path).await;
            // Swapped or impossible coordinates are a question that makes no sense.
            let tag =
                if answer.status == 400 { serde_json::json!({ "status": "outside" }) } else { answer.ok() };
            wrong.extend(
                difference(&point, &tag)
                    .map(|difference| format!("{} {}: {difference}", point["id"], point["name"])),
            );
        }

        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    async fn the_map_can_be_drawn(app: TestApp) {
        let phone = app.inspector().await;
        let sets = phone.get("/v1/places/boundaries").await.ok();

        assert_eq!(sets.as_array().map(Vec::len), Some(3));
        for set in sets.as_array().unwrap() {
            assert!(set["licence"].as_str().is_some_and(|licence| !licence.is_empty()));
            let path = format!("/v1/places/boundaries/{}.geojson", set["set_id"].as_str().unwrap());
            let map = phone.get(&path).await;
            assert_eq!(map.ok()["type"], "FeatureCollection");
            let known = phone
                .request(reqwest::Method::GET, &path)
                .header("If-None-Match", map.header("etag").unwrap());
            known.send().await.expect(304);
        }
        phone.get("/v1/places/boundaries/no-such-set.geojson").await.expect(404);
    }

    fn difference(point: &HashMap<String, String>, tag: &Value) -> Option<String> {
        let inside = tag["status"] == "inside";
        if inside != (point["inside_province"] == "1") {
            return Some(format!("status {}", tag["status"]));
        }
        let district = &point["expected_district"];
        let found = tag["district"]["name_en"].as_str().unwrap_or_default();
        let candidates: Vec<&str> = tag["candidates"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|it| it["name_en"].as_str())
            .collect();
        let ambiguous = point["ambiguous"] == "1";
        if inside
            && !district.is_empty()
            && district != found
            && !(ambiguous && candidates.contains(&district.as_str()))
        {
            return Some(format!("{found} instead of {district}, candidates {candidates:?}"));
        }
        let tehsil = &point["expected_tehsil_2017"];
        let found = tag["tehsil"]["name_en"].as_str().unwrap_or_default();
        if inside && !ambiguous && !tehsil.is_empty() && !found.eq_ignore_ascii_case(tehsil) {
            return Some(format!("tehsil {found} instead of {tehsil}"));
        }
        (inside && ambiguous && tag["ambiguous_gps"] != true).then(|| "not said to be ambiguous".to_owned())
    }
}

/// The rows of a CSV file by column; fields may be quoted.
fn table(text: &str) -> Vec<HashMap<String, String>> {
    let mut lines = text.lines().map(fields);
    let head = lines.next().unwrap_or_default();
    lines.map(|row| head.iter().cloned().zip(row).collect()).collect()
}

fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut quoted) = (vec![String::new()], false);
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => fields.last_mut().unwrap().push(other),
        }
    }
    fields
}

async fn without_boundaries_a_point_is_not_placed(app: TestApp) {
    let phone = app.inspector().await;

    let tag = phone.get("/v1/places/locate?lat=30.1921&lon=67.0075&accuracy_m=9").await.ok();
    let receipt = phone.file(&samples::b1()).await.created();
    let without_fix = phone.file(&samples::b1().at("location", Value::Null)).await.created();

    assert_eq!(tag["status"], "no_boundary_set");
    assert_eq!(receipt["place"]["status"], "no_boundary_set");
    assert_eq!(receipt["verdict"], "valid");
    assert_eq!(without_fix["place"]["status"], "no_fix");
}

async fn a_question_that_makes_no_sense_is_refused(app: TestApp) {
    let phone = app.inspector().await;
    for query in [
        "",
        "?lat=30",
        "?lat=north&lon=67",
        "?lat=95&lon=67",
        "?lat=30&lon=200",
        "?lat=NaN&lon=67",
        "?lat=30&lon=67&accuracy_m=-1",
        "?lat=inf&lon=67",
    ] {
        let answer = phone.get(&format!("/v1/places/locate{query}")).await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.text());
        assert!(answer.json()["code"].is_string());
    }
    app.stranger().get("/v1/places/locate?lat=30&lon=67").await.expect(401);
}

async fn boundaries_that_come_later_tag_what_was_filed_before(app: TestApp) {
    let Some(districts) = folders::shared("geo/bal_adm2_2023_34.geojson") else { return };
    let phone = app.inspector().await;
    let inspection = samples::b1();
    phone.file(&inspection).await.created();
    app.clock.advance(chrono::Duration::minutes(1));

    let db = app.services().db.clone();
    let importing =
        move || server::places::import_file(&db, &districts, &server::places::ImportOptions::default());
    tokio::task::spawn_blocking(importing).await.unwrap().unwrap();

    let path = format!("/v1/submissions/{}", inspection.id);
    let mut place = phone.get(&path).await.ok()["place"].clone();
    for _ in 0..100 {
        if place["status"] == "inside" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        place = phone.get(&path).await.ok()["place"].clone();
    }
    assert_eq!(place["district"]["code"], "PK226", "{place}");
    // Tagging again adds a row; what was said when it was filed still stands.
    assert_eq!(app.count("place_tags", "status = 'inside'"), 1);
    let filed = phone.get(&format!("{path}/revisions/1")).await.ok();
    assert_eq!(filed["place"]["status"], "no_boundary_set");
}
