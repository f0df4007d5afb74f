//! The planner: a score whose terms are shown, a share drawn by lot, places on the way taken along, and the same answer to
//! the same question.

use harness::{Person, TestApp, on_both_databases};
use serde_json::{Value, json};

use super::assignments::{place, visit};
use super::facilities::kiln_with;

on_both_databases!(
    a_plan_is_the_same_whoever_asks_and_however_often,
    the_terms_add_up_to_the_score,
    a_share_is_drawn_by_lot,
    what_lies_together_is_visited_together,
    a_plan_becomes_assignments_once,
    only_those_who_assign_plan_and_only_where_they_work,
);

const PLAN: &str = "/v1/planner?district=PK226&date=2026-11-23&capacity=";

/// Twelve kilns, half of them around Quetta and half around a far end of the district; their ids.
async fn kilns(inspector: &Person) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 0..12 {
        let (lat, lon) = if n % 2 == 0 { (30.19, 67.00) } else { (30.60, 66.60) };
        let lat = lat + f64::from(n) * 0.002;
        let facts = json!({ "name_en": format!("Demo Kiln No {n}"), "position": { "lat": lat, "lon": lon } });
        ids.push(place(inspector, &kiln_with(facts)).await);
    }
    ids
}

async fn plan(person: &Person, rest: &str) -> Value {
    person.get(&format!("{PLAN}{rest}")).await.ok()
}

fn stops(plan: &Value) -> Vec<&Value> {
    let clusters = plan["clusters"].as_array().into_iter().flatten();
    clusters.flat_map(|cluster| cluster["stops"].as_array().into_iter().flatten()).collect()
}

fn places(plan: &Value, chosen_by: &str) -> Vec<String> {
    let chosen = stops(plan).into_iter().filter(|stop| stop["chosen_by"] == chosen_by);
    let mut ids: Vec<String> =
        chosen.filter_map(|stop| stop["facility"].as_str().map(str::to_owned)).collect();
    ids.sort();
    ids
}

async fn a_plan_is_the_same_whoever_asks_and_however_often(app: TestApp) {
    kilns(&app.inspector().await).await;
    let supervisor = app.supervisor().await;

    let one = plan(&supervisor, "6").await;
    let again = plan(&supervisor, "6").await;
    let by_the_head = plan(&app.login("labour-head").await, "6").await;
    let other_seed = plan(&supervisor, "6&seed=second").await;
    let mut other_lots = false;
    // Of a dozen places two seeds may draw the same ones; six do not.
    for seed in ["second", "third", "fourth", "fifth", "sixth"] {
        let drawn = plan(&supervisor, &format!("6&seed={seed}")).await;
        other_lots |= places(&one, "lot") != places(&drawn, "lot");
    }

    assert_eq!(one, again);
    assert_eq!(one, by_the_head);
    assert_eq!((&one["considered"], stops(&one).len()), (&json!(12), 6));
    assert!(other_lots, "no other seed draws other places");
    assert_eq!(other_seed["seed"], "second");
    assert!(one["weights"]["terms"].as_array().unwrap().iter().all(|it| it["reason"].is_string()));
}

async fn the_terms_add_up_to_the_score(app: TestApp) {
    let inspector = app.inspector().await;
    let ids = kilns(&inspector).await;
    inspector.file(&visit(&ids[3], 20)).await.created();

    let plan = plan(&app.supervisor().await, "12").await;

    for stop in stops(&plan) {
        let terms = stop["terms"].as_array().unwrap();
        let sum: i64 = terms.iter().filter_map(|term| term["points"].as_i64()).sum();
        assert_eq!(stop["score"], sum, "{stop}");
        for term in terms {
            let weight =
                plan["weights"]["terms"].as_array().unwrap().iter().find(|it| it["term"] == term["term"]);
            let weight = weight.unwrap_or_else(|| panic!("{term} has no weight"));
            let (points, most) = (weight["points"].as_i64().unwrap(), weight["most"].as_i64().unwrap());
            assert_eq!(term["points"], (term["count"].as_i64().unwrap() * points).min(most));
        }
    }
    let gravest = &plan["clusters"][0]["stops"][0];
    assert_eq!(gravest["facility"], json!(ids[3]));
    let counted: Vec<&Value> = gravest["terms"].as_array().unwrap().iter().map(|it| &it["term"]).collect();
    assert!(!counted.contains(&&json!("never_visited")) && counted.len() >= 2, "{gravest}");
}

async fn a_share_is_drawn_by_lot(app: TestApp) {
    kilns(&app.inspector().await).await;
    let supervisor = app.supervisor().await;

    let ten = plan(&supervisor, "10").await;
    let one = plan(&supervisor, "1").await;
    let more_than_there_are = plan(&supervisor, "50").await;

    assert_eq!(
        (&ten["drawn_by_lot"], places(&ten, "lot").len(), places(&ten, "risk").len()),
        (&json!(2), 2, 8)
    );
    assert_eq!(one["drawn_by_lot"], 0);
    assert_eq!(stops(&more_than_there_are).len(), 12);
}

async fn what_lies_together_is_visited_together(app: TestApp) {
    kilns(&app.inspector().await).await;

    let plan = plan(&app.supervisor().await, "12").await;

    let clusters = plan["clusters"].as_array().unwrap();
    assert!((2..=4).contains(&clusters.len()), "{plan}");
    for cluster in clusters {
        let lons: Vec<f64> =
            cluster["stops"].as_array().unwrap().iter().filter_map(|stop| stop["lon"].as_f64()).collect();
        assert!(lons.iter().all(|lon| (lon - lons[0]).abs() < 0.1), "{cluster}");
        assert!(cluster["distance_m"].as_i64().unwrap() < 15_000, "{cluster}");
    }
}

async fn a_plan_becomes_assignments_once(app: TestApp) {
    let inspector = app.inspector().await;
    let ids = kilns(&inspector).await;
    let supervisor = app.supervisor().await;
    let body = json!({ "district": "PK226", "date": "2026-11-23", "capacity": 5 });
    let planned = plan(&supervisor, "5").await;

    let made = supervisor.post("/v1/planner/assignments", &body).await.created();
    let (one, other) = tokio::join!(
        supervisor.post("/v1/planner/assignments", &body),
        supervisor.post("/v1/planner/assignments", &body)
    );
    let the_next_day = supervisor.get(&format!("{PLAN}12").replace("-23", "-24")).await.ok();

    let outcome = |answer: &Value, was_made: bool| {
        answer["items"].as_array().unwrap().iter().filter(|item| item["made"] == was_made).count()
    };
    assert_eq!(
        (outcome(&made, true), outcome(&one.created(), false), outcome(&other.created(), false)),
        (5, 5, 5)
    );
    assert_eq!(app.count("assignments", "origin = 'planner'"), 5);
    assert_eq!(
        plan(&supervisor, "5").await["clusters"],
        planned["clusters"],
        "its own visits do not change it"
    );
    assert_eq!((&the_next_day["assigned_already"], &the_next_day["considered"]), (&json!(5), &json!(7)));
    let free = inspector.get("/v1/assignments").await.ok();
    assert_eq!(free["items"].as_array().map(Vec::len), Some(5));
    assert_eq!(free["items"][0]["origin_id"], "2026-11-23");
    let only = json!({ "district": "PK226", "date": "2026-11-25", "capacity": 12, "facilities": [ids[0]] });
    let few = supervisor.post("/v1/planner/assignments", &only).await.created();
    assert!(few["items"].as_array().unwrap().len() <= 1, "{few}");
}

async fn only_those_who_assign_plan_and_only_where_they_work(app: TestApp) {
    let supervisor = app.supervisor().await;

    app.inspector().await.get(&format!("{PLAN}5")).await.refused(403, "not_permitted");
    app.login("analyst").await.get(&format!("{PLAN}5")).await.refused(403, "not_permitted");
    let head = app.login("labour-head").await;
    let body = json!({ "district": "PK226", "date": "2026-11-23", "capacity": 5 });
    head.post("/v1/planner/assignments", &body).await.refused(403, "not_permitted");
    for (query, status, code) in [
        ("district=PK201&date=2026-11-23&capacity=5", 404, "district_unknown"),
        ("district=PK226&date=tomorrow&capacity=5", 400, "bad_date"),
        ("district=PK226&date=2026-11-23&capacity=0", 400, "bad_capacity"),
        ("district=PK226&date=2026-11-23&capacity=5&kind=audit", 400, "kind_unfit"),
        ("district=PK226&date=2026-11-23&capacity=-1", 400, "bad_query"),
    ] {
        supervisor.get(&format!("/v1/planner?{query}")).await.refused(status, code);
    }
    let swd = app.login("supervisor-swd").await;
    assert_eq!(plan(&swd, "5").await["kind"], "audit");
    assert_eq!(plan(&swd, "5").await["considered"], 0);
}
