//! Filing an inspection: what the server says of it, and that sending twice is the same as sending once.

use std::collections::BTreeMap;

use harness::{TestApp, codes, on_both_databases, samples};
use serde_json::{Value, json};
use tokio::task::JoinSet;

on_both_databases!(
    the_same_again_is_the_same_receipt,
    sixty_four_at_once_are_one_row_and_one_receipt,
    other_content_under_the_same_id_is_a_conflict,
    of_two_contents_at_once_one_is_stored,
    the_servers_calculation_counts,
    what_smells_wrong_is_flagged_and_taken,
    findings_not_to_be_disclosed_say_so,
    a_declared_file_is_awaited,
);

mod on_the_map {
    use super::*;

    on_both_databases!(in WithBoundaries:
        every_case_of_the_questionnaire_is_judged_as_it_says,
        a_visit_is_tagged_with_its_place,
        a_visit_elsewhere_is_flagged_and_taken,
    );

    async fn every_case_of_the_questionnaire_is_judged_as_it_says(app: TestApp) {
        let phone = app.inspector().await;
        let mut wrong = Vec::new();
        for (name, case) in samples::all() {
            let receipt = phone.file(&case).await.created();
            wrong.extend(
                difference(&case.expected, &receipt).map(|difference| format!("{name}: {difference}")),
            );
        }

        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    async fn a_visit_is_tagged_with_its_place(app: TestApp) {
        let receipt = app.inspector().await.file(&samples::b1()).await.created();

        let place = &receipt["place"];
        assert_eq!(place["status"], "inside");
        assert_eq!(place["province"]["code"], "PK2");
        assert_eq!(place["division"]["code"], "PK2-DIV-QUETTA");
        assert_eq!(place["district"]["code"], "PK226");
        assert!(place["district"]["name_ur"].is_string());
        assert_eq!(codes(&receipt["flags"]), Vec::<&str>::new());
    }

    async fn a_visit_elsewhere_is_flagged_and_taken(app: TestApp) {
        let phone = app.inspector().await;

        let duki = phone.file(&samples::b2()).await.created();
        let karachi = phone.file(&samples::b1().fixed_at(24.86, 67.01, 9.0)).await.created();
        let swapped = phone.file(&samples::b1().fixed_at(67.0075, 30.1921, 9.0)).await.created();

        assert!(codes(&duki["flags"]).contains(&"outside_own_area"), "{}", duki["flags"]);
        assert!(codes(&karachi["flags"]).contains(&"outside_province"), "{}", karachi["flags"]);
        assert!(codes(&swapped["flags"]).contains(&"outside_province"), "{}", swapped["flags"]);
        assert_eq!(karachi["place"]["status"], "outside");
        assert_eq!(karachi["place"]["district"], Value::Null);
    }
}

async fn the_same_again_is_the_same_receipt(app: TestApp) {
    let phone = app.inspector().await;
    let inspection = samples::b3();
    let reordered: BTreeMap<String, Value> = serde_json::from_value(inspection.envelope.clone()).unwrap();
    let spaced = serde_json::to_vec_pretty(&reordered).unwrap();

    let first = phone.file(&inspection).await.created();
    let again = phone.file(&inspection).await.ok();
    let differently_written = phone.put_submission(inspection.id, spaced).await.ok();

    assert_eq!(again, first);
    assert_eq!(differently_written, first);
    assert_eq!(first["revision"], 1);
    assert_eq!(app.count("revisions", "true"), 1);
}

async fn sixty_four_at_once_are_one_row_and_one_receipt(app: TestApp) {
    let phone = app.inspector().await;
    let inspection = samples::b3();
    let mut sending = JoinSet::new();
    for _ in 0..64 {
        let (phone, inspection) = (phone.clone(), inspection.clone());
        sending.spawn(async move { phone.file(&inspection).await });
    }
    let answers = sending.join_all().await;

    let stored = answers.iter().filter(|answer| answer.status == 201).count();
    let repeated = answers.iter().filter(|answer| answer.status == 200).count();
    let others: Vec<String> =
        answers.iter().filter(|answer| answer.status > 201).map(|answer| answer.text()).collect();
    assert_eq!((stored, repeated), (1, 63), "{others:?}");
    let first = answers[0].json();
    assert!(answers.iter().all(|answer| answer.json() == first));
    assert_eq!(app.count("submissions", "true"), 1);
    assert_eq!(app.count("revisions", "true"), 1);
    assert_eq!(app.count("audit_events", "action = 'submission.filed'"), 1);
}

async fn other_content_under_the_same_id_is_a_conflict(app: TestApp) {
    let phone = app.inspector().await;
    let inspection = samples::b1();
    let first = phone.file(&inspection).await.created();

    let problem =
        phone.file(&inspection.clone().with("co_inspectors", 2)).await.refused(409, "submission_conflict");

    assert_eq!(problem["revision"], 1);
    assert_eq!(problem["content_hash"], first["content_hash"]);
    assert_eq!(phone.file(&inspection).await.ok(), first);
}

async fn of_two_contents_at_once_one_is_stored(app: TestApp) {
    let phone = app.inspector().await;
    let inspection = samples::b1();
    let mut sending = JoinSet::new();
    for n in 0..8 {
        let (phone, inspection) = (phone.clone(), inspection.clone().with("co_inspectors", n));
        sending.spawn(async move { phone.file(&inspection).await.status });
    }
    let mut statuses = sending.join_all().await;
    statuses.sort_unstable();

    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(app.count("revisions", "true"), 1);
}

async fn the_servers_calculation_counts(app: TestApp) {
    let phone = app.inspector().await;

    let receipt = phone.file(&samples::b1().with("wf_total", 99)).await.created();
    let stored = phone.get(&format!("/v1/submissions/{}", receipt["id"].as_str().unwrap())).await.ok();

    assert_eq!(receipt["verdict"], "warnings");
    assert_eq!(codes(&receipt["violations"]), ["calculated_differs"]);
    assert_eq!(receipt["violations"][0]["path"], "wf_total");
    assert_eq!(stored["calculated"]["wf_total"], 6);
}

async fn what_smells_wrong_is_flagged_and_taken(app: TestApp) {
    let phone = app.inspector().await;
    let smells = [
        ("mock_location", samples::b1().at("location/mocked", true)),
        ("poor_accuracy", samples::b1().at("location/accuracy_m", 400)),
        ("accuracy_impossible", samples::b1().at("location/accuracy_m", -5)),
        ("location_impossible", samples::b1().at("location/lat", 95)),
        ("stale_fix", samples::b1().at("location/fixed_at", "2026-11-19T08:00:00+05:00")),
        ("clock_skew", samples::b1().at("device/clock", "2026-11-20T11:00:00+05:00")),
        ("finished_in_future", samples::b1().at("finished_at", "2099-11-20T12:45:00+05:00")),
        (
            "finished_long_ago",
            samples::b1().at("finished_at", "1970-01-01T00:00:00Z").at("started_at", "1970-01-01T00:00:00Z"),
        ),
        ("too_fast", samples::b1().at("started_at", "2026-11-20T12:44:50+05:00")),
    ];
    for (flag, inspection) in smells {
        let receipt = phone.file(&inspection).await.created();
        assert!(codes(&receipt["flags"]).contains(&flag), "{flag} is not in {}", receipt["flags"]);
        assert_eq!(receipt["flags"][0]["message"]["ur"].as_str().map(str::is_empty), Some(false));
    }
}

async fn findings_not_to_be_disclosed_say_so(app: TestApp) {
    let receipt = app.inspector().await.file(&samples::b2()).await.created();

    let findings = receipt["findings"].as_array().unwrap();
    let of =
        |code: &str, row: &str| findings.iter().find(|it| it["code"] == code && it["row"] == row).unwrap();
    let (trafficked, hazard) = (of("TRF-01", "CLI-LOR2-2026-0044-C1"), of("HAZ-03", "CLI-LOR2-2026-0044-C1"));
    assert_eq!(trafficked["disclose"], false);
    assert_eq!(hazard["disclose"], true);
    assert_eq!(hazard["severity"], "emergency");
    for member in ["title", "basis", "action", "due_at", "refer_to", "because", "provisional"] {
        assert!(hazard.get(member).is_some(), "{member} is missing in {hazard}");
    }
    assert!(
        hazard["because"]
            .as_array()
            .is_some_and(|because| because.iter().any(|it| it["path"] == "children[0].haz_items"))
    );
}

async fn a_declared_file_is_awaited(app: TestApp) {
    let phone = app.inspector().await;
    let inspection = samples::b1();
    let names: Vec<&str> = inspection.photos.iter().map(|photo| photo.name.as_str()).collect();

    let receipt = phone.file(&inspection).await.created();

    assert_eq!(receipt["media"], "awaiting");
    assert_eq!(receipt["media_missing"], json!(names));
}

/// What differs between what a case expects and what the server said, without the order of lists.
fn difference(expected: &Value, receipt: &Value) -> Option<String> {
    let triples = |list: &Value, members: [&str; 3]| {
        let triple = |item: &Value| members.map(|member| item[member].to_string()).join(" ");
        let mut all: Vec<String> = list.as_array().into_iter().flatten().map(triple).collect();
        all.sort();
        all
    };
    let violations = |list: &Value| triples(list, ["code", "path", "level"]);
    let findings = |list: &Value| triples(list, ["code", "row", "provisional"]);
    let row = |list: &Value| {
        let mut list = list.clone();
        for item in list.as_array_mut().into_iter().flatten() {
            item["provisional"] = item.get("provisional").cloned().unwrap_or(json!(false));
        }
        list
    };
    let differs = |what: &str, wanted: Vec<String>, got: Vec<String>| {
        (wanted != got).then(|| format!("{what}\n  expected {wanted:?}\n  got      {got:?}"))
    };
    if expected["verdict"] != receipt["verdict"] {
        return Some(format!(
            "verdict {} instead of {}: {}",
            receipt["verdict"], expected["verdict"], receipt["violations"]
        ));
    }
    differs("violations", violations(&expected["violations"]), violations(&receipt["violations"])).or_else(
        || differs("findings", findings(&row(&expected["findings"])), findings(&receipt["findings"])),
    )
}
