//! The register on the phone: facilities of one's line in one's areas, in pages, as they change, and as the areas do.

use harness::{TestApp, on_both_databases};
use serde_json::{Value, json};

use super::phone::Phone;
use crate::api::facilities::{kiln_with, registered};

on_both_databases!(
    facilities_come_in_pages_and_as_they_change,
    facilities_come_and_go_with_the_area,
    a_division_is_all_its_districts,
    the_other_line_hears_nothing_of_them,
);

fn kiln_in(district: &str, name: &str) -> Value {
    kiln_with(json!({ "district": district, "name_en": name }))
}

/// Names of what the phone holds, sorted.
fn names(phone: &Phone) -> Vec<String> {
    let held = phone.holds("facilities").into_values();
    let mut names: Vec<String> = held.filter_map(|it| it["name_en"].as_str().map(str::to_owned)).collect();
    names.sort();
    names
}

async fn facilities_come_in_pages_and_as_they_change(app: TestApp) {
    let colleague = app.inspector_in("PK226").await;
    for name in ["Ali", "Bashir", "Chaman", "Dost", "Ehsan"] {
        registered(&colleague, &kiln_in("PK226", &format!("{name} Bricks and Sons"))).await;
    }
    let mut phone = Phone::of(&app, "inspector", "phone-1").await;

    let asked = phone.sync(2).await;
    let before = phone.holds("facilities").len();
    registered(&colleague, &kiln_in("PK226", "Faqir Bricks and Sons")).await;
    phone.sync(2).await;

    assert!(asked >= 3, "five facilities, two a page");
    assert_eq!((before, phone.holds("facilities").len()), (5, 6));
    assert_eq!(phone.ask(2).await.status, 304);
}

async fn facilities_come_and_go_with_the_area(app: TestApp) {
    let (quetta, khuzdar) = (app.inspector_in("PK226").await, app.inspector_in("PK213").await);
    registered(&quetta, &kiln_in("PK226", "Quetta Bricks")).await;
    for name in ["Anjira", "Baghbana", "Chashma"] {
        registered(&khuzdar, &kiln_in("PK213", name)).await;
    }
    let mut phone = Phone::of(&app, "inspector", "phone-1").await;
    phone.sync(200).await;
    assert_eq!(names(&phone), ["Quetta Bricks"]);

    super::people::move_to(&app, "inspector", &["PK213"]).await;
    let first = phone.ask(2).await.ok();
    phone.sync(2).await;
    registered(&quetta, &kiln_in("PK226", "Another of Quetta")).await;
    phone.sync(2).await;

    assert_eq!(first["areas"], json!({ "codes": ["PK213"], "drop": ["PK226"] }));
    assert!(first.get("reset").is_none(), "what it holds of other kinds stays");
    assert_eq!(names(&phone), ["Anjira", "Baghbana", "Chashma"]);
}

async fn a_division_is_all_its_districts(app: TestApp) {
    super::people::move_to(&app, "inspector", &["PK2-DIV-QUETTA"]).await;
    let mut phone = Phone::of(&app, "inspector", "phone-1").await;
    phone.sync(200).await;
    let colleague = app.inspector_in("PK226").await;
    registered(&colleague, &kiln_in("PK226", "Quetta Bricks")).await;

    phone.sync(200).await;
    let told = names(&phone);
    super::people::move_to(&app, "inspector", &["PK213"]).await;
    phone.sync(200).await;

    assert_eq!(told, ["Quetta Bricks"]);
    assert!(names(&phone).is_empty());
}

async fn the_other_line_hears_nothing_of_them(app: TestApp) {
    let mut auditor = Phone::of(&app, "auditor", "phone-1").await;
    auditor.sync(200).await;
    registered(&app.inspector_in("PK226").await, &kiln_in("PK226", "Quetta Bricks")).await;

    auditor.sync(200).await;

    assert!(auditor.holds("facilities").is_empty());
}
