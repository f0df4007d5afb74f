//! The register as a table: importing CSV with every problem listed, exporting it, and what is counted of it.

use harness::{Answer, Person, TestApp, on_both_databases};
use serde_json::{Value, json};

use super::facilities::{kiln_with, registered};

on_both_databases!(
    a_dry_run_lists_every_problem_and_stores_nothing,
    a_dry_run_warns_of_what_the_register_may_have_already,
    all_or_nothing_or_the_good_lines,
    the_same_file_twice_is_imported_once,
    an_export_is_read_back_as_it_was,
    an_export_reaches_no_farther_than_its_reader_and_is_recorded,
    no_cell_is_run_by_a_spreadsheet,
    a_hundred_thousand_lines_are_read_in_little_memory,
    an_import_reaches_no_farther_than_its_importer,
    coverage_is_counted_by_district,
);

const HEADER: &str = "code,kind,name_en,name_ur,district,lat,lon,registrations\n";

async fn import(person: &Person, query: &str, file: impl Into<Vec<u8>>) -> Answer {
    let request = person.request(reqwest::Method::POST, &format!("/v1/facilities/import{query}"));
    request.header("Content-Type", "text/csv").bytes(file.into()).send().await
}

async fn a_dry_run_lists_every_problem_and_stores_nothing(app: TestApp) {
    let supervisor = app.supervisor().await;
    let mut file = HEADER.as_bytes().to_vec();
    for line in [
        "K-001,brick_kiln,Demo One,,PK226,30.19,67.00,",
        "K-002,brick_kiln,Demo Two,,PK226,67.00,30.19,",
        "K-003,brick_kiln,Demo Three,,Quetta,51.5,0.1,",
        "K-004,castle,Demo Four,,PK226,,,",
        "K-005,brick_kiln,Demo Five,,Atlantis,,,",
        "K-001,brick_kiln,Demo Six,,PK226,,,",
        "K-007,brick_kiln,Demo Seven,,PK226,,,factories;F-1;2026-13-01;",
        "K-008,brick_kiln,Demo Eight,,PK226,,,factories;F-1;2026-02-01;2026-01-01",
        "K-009,brick_kiln,Demo Nine",
        "K-010,brick_kiln,,,PK226,,,",
        "K-011,brick_kiln,Demo Eleven,,PK226,north,67,",
        "K-012,brick_kiln,Demo Twelve,,PK226,30.1,,",
        "K_13,brick_kiln,\"Demo\nThirteen\",,PK226,,,none",
    ] {
        file.extend_from_slice(line.as_bytes());
        file.push(b'\n');
    }
    file.extend_from_slice(b"K-014,brick_kiln,Demo \xff,,PK226,,,\n");
    file.extend_from_slice(
        "K-015,brick_kiln,,نمونہ بھٹہ,PK226,30.2,67.0,factories;F-2;2025-01-01;\n".as_bytes(),
    );

    let report = import(&supervisor, "?dry_run=true", file).await.ok();

    let problems: Vec<(u64, &str)> = report["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| (problem["line"].as_u64().unwrap(), problem["code"].as_str().unwrap()))
        .collect();
    assert_eq!(
        problems,
        [
            (3, "swapped_coordinates"),
            (4, "outside_province"),
            (5, "unknown_kind"),
            (6, "unknown_district"),
            (7, "duplicate_code"),
            (8, "bad_date"),
            (9, "bad_period"),
            (10, "wrong_columns"),
            (11, "name_missing"),
            (12, "bad_number"),
            (13, "bad_coordinates"),
            (14, "bad_code"),
            (14, "unknown_body"),
            (16, "bad_utf8"),
        ],
        "{report}"
    );
    assert_eq!((&report["lines"], &report["good"], &report["done"]), (&json!(15), &json!(2), &json!(false)));
    assert_eq!(app.count("facilities", "1 = 1"), 0);
    for (file, code) in [
        ("", "bad_header"),
        ("name_en\nx\n", "bad_header"),
        ("kind,kind\n", "bad_header"),
        ("kind,colour\n", "bad_header"),
    ] {
        import(&supervisor, "?dry_run=true", file).await.refused(400, code);
    }
    let endless = format!("kind,name_en\nbrick_kiln,\"{}", "x".repeat(600_000));
    import(&supervisor, "?dry_run=true", endless).await.refused(400, "csv_unreadable");
    supervisor.post("/v1/facilities/import", &json!({})).await.refused(415, "not_csv");
}

async fn a_dry_run_warns_of_what_the_register_may_have_already(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let known = super::facilities::registered(&inspector, &super::facilities::kiln()).await;
    let code = inspector.get(&known).await.ok()["code"].as_str().unwrap().to_owned();
    let file = [
        HEADER,
        // The same kiln in the other script, some steps away.
        "K-001,brick_kiln,,کریم بھٹہ خشت,PK226,30.1925,67.0079,\n",
        // Another kiln at the same spot, and the same kiln far away.
        "K-002,brick_kiln,Demo Sabzal Bricks,,PK226,30.1990,67.0075,\n",
        "K-003,brick_kiln,Demo Karim Brick Kiln,,PK226,30.4000,67.0075,\n",
        // Without a position only the name can tell.
        "K-004,brick_kiln,Demo Karim Brick Kiln,,PK226,,,\n",
        // The file has it twice.
        "K-005,brick_kiln,Demo Jan Bricks,,PK226,30.3000,67.1,\n",
        "K-006,brick_kiln,DEMO JAN BRICKS,,PK226,30.3001,67.1,\n",
    ]
    .concat();

    let report = import(&supervisor, "?dry_run=true", file.clone()).await.ok();

    let warnings: Vec<(u64, &str, bool)> = report["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let names_it = it["message"].as_str().unwrap().contains(&code);
            (it["line"].as_u64().unwrap(), it["code"].as_str().unwrap(), names_it)
        })
        .collect();
    assert_eq!(
        warnings,
        [
            (2, "possible_duplicate", true),
            (5, "possible_duplicate", true),
            (7, "possible_duplicate_line", false)
        ],
        "{report}"
    );
    assert_eq!(
        (&report["problem_count"], &report["good"], &report["warning_count"]),
        (&json!(0), &json!(6), &json!(3))
    );
    // They are warnings: what a person decides to import is imported.
    assert_eq!(import(&supervisor, "", file).await.ok()["imported"], 6);
}

async fn all_or_nothing_or_the_good_lines(app: TestApp) {
    let supervisor = app.supervisor().await;
    let file = format!("{HEADER}K-001,brick_kiln,Demo One,,PK226,,,\nK-002,castle,Demo Two,,PK226,,,\n");

    let refused = import(&supervisor, "", file.clone()).await.refused(409, "import_has_problems");
    assert_eq!(refused["report"]["problems"][0]["code"], "unknown_kind");
    assert_eq!(app.count("facilities", "1 = 1"), 0);
    let report = import(&supervisor, "?good_lines=true", file).await.ok();

    assert_eq!((&report["imported"], &report["problem_count"]), (&json!(1), &json!(1)));
    assert_eq!(
        app.count("facilities", "code = 'K-001' AND status = 'provisional' AND district = 'PK226'"),
        1
    );
    assert_eq!(app.count("facility_events", "action = 'imported'"), 1);
    let found = supervisor.get("/v1/facilities?q=demo%20one").await.ok();
    assert_eq!(found["items"][0]["code"], "K-001");
}

async fn the_same_file_twice_is_imported_once(app: TestApp) {
    let supervisor = app.supervisor().await;
    let file = format!(
        "{HEADER},brick_kiln,Demo One,,PK226,30.1,67.0,\nK-2,brick_kiln,Demo Two,,PK226,,,mines;;;\n"
    );

    let first = import(&supervisor, "", file.clone()).await.ok();
    let again = import(&supervisor, "", file).await.ok();
    let changed = format!("{HEADER}K-2,brick_kiln,Demo Other,,PK226,,,\n");
    let other = import(&supervisor, "", changed).await.refused(409, "import_has_problems");

    assert_eq!((&first["imported"], &first["unchanged"]), (&json!(2), &json!(0)));
    assert_eq!((&again["imported"], &again["unchanged"]), (&json!(0), &json!(2)));
    assert_eq!(other["report"]["problems"][0]["code"], "duplicate_code");
}

async fn exported(app: &TestApp, with_people: bool) -> String {
    let db = app.services().db.clone();
    let writing = move || {
        let mut out = Vec::new();
        let everything = server::facilities::Sight::system();
        server::facilities::export(&db, &mut out, &everything, with_people).unwrap();
        String::from_utf8(out).unwrap()
    };
    tokio::task::spawn_blocking(writing).await.unwrap()
}

async fn an_export_is_read_back_as_it_was(app: TestApp) {
    let (phone, supervisor) = (app.inspector().await, app.supervisor().await);
    let place = kiln_with(json!({
        "name_ur": "نمونہ بھٹہ", "aliases": ["a|b; c%", "=1+1"], "address": "behind \"the\" bridge,\nleft",
        "registrations": [
            { "body": "factories", "number": "F|1;2", "valid_from": "2025-01-01", "valid_to": "2026-12-31" },
            { "body": "mines" }
        ],
        "operator": { "code": "OWN-1", "name": "-Demo Owner", "ownership": "sole" },
        "links": [{ "facility": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f11", "relation": "kiln_chain" }],
        "sector": "2392",
    }));
    let path = registered(&phone, &place).await;
    let before = supervisor.get(&path).await.ok();
    let file = exported(&app, true).await;

    let unchanged = import(&supervisor, "", file.clone()).await.ok();
    let (id, code) = (before["id"].as_str().unwrap(), before["code"].as_str().unwrap());
    let other = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f99";
    let report = import(&supervisor, "", file.replace(id, other).replace(code, "PK226-K-0099")).await.ok();
    let mut after = supervisor.get(&format!("/v1/facilities/{other}")).await.ok();

    assert_eq!((&unchanged["unchanged"], &report["imported"]), (&json!(1), &json!(1)), "{report}");
    for member in ["id", "code"] {
        after[member] = before[member].clone();
    }
    assert_eq!(after, before);
    assert!(!exported(&app, false).await.contains("Demo Owner"));
}

async fn no_cell_is_run_by_a_spreadsheet(app: TestApp) {
    let phone = app.inspector().await;
    for name in ["=HYPERLINK(\"http://evil\")", "+92", "-1", "@SUM(A1)", "'=quoted"] {
        registered(&phone, &kiln_with(json!({ "name_en": name }))).await;
    }

    let file = exported(&app, true).await;

    for line in file.lines().skip(1) {
        let name = line.split(',').nth(4).unwrap().trim_start_matches('"');
        assert!(name.starts_with('\''), "{line}");
    }
    let report = import(&app.supervisor().await, "", file).await.ok();
    assert_eq!(report["unchanged"], 5, "{report}");
}

async fn an_export_reaches_no_farther_than_its_reader_and_is_recorded(app: TestApp) {
    let head = app.login("labour-head").await;
    let mut file = format!("{HEADER},mine,Demo Far,,PK234,,,\n");
    for n in 0..1500 {
        file.push_str(&format!("K-{n:04},brick_kiln,Demo {n},,PK226,30.1,67.0,\n"));
    }
    import(&head, "", file.clone()).await.ok();
    registered(
        &app.auditor().await,
        &json!({ "kind": "orphanage", "name_en": "Demo Home", "district": "PK226" }),
    )
    .await;
    registered(&app.inspector().await, &kiln_with(json!({ "operator": { "name": "Demo Owner" } }))).await;

    let supervisor = app.supervisor().await;
    let exported = supervisor.get("/v1/facilities/export").await;
    let with_people = supervisor.get("/v1/facilities/export?with_people=true").await.text();
    let whole = head.get("/v1/facilities/export").await.text();

    assert_eq!(exported.header("content-type"), Some("text/csv; charset=utf-8"));
    let exported = exported.text();
    assert_eq!((exported.lines().count(), whole.lines().count()), (1 + 1500 + 1, 1 + 1500 + 2));
    assert!(!exported.contains("Demo Far") && !whole.contains("Demo Home"));
    assert!(!exported.contains("Demo Owner") && !exported.contains("munshi"));
    assert!(with_people.contains("Demo Owner") && with_people.contains("munshi"));
    assert_eq!(import(&supervisor, "", with_people).await.ok()["unchanged"], 1501);
    for who in ["inspector", "analyst", "deputy-director", "admin", "oversight"] {
        app.login(who).await.get("/v1/facilities/export").await.refused(403, "not_permitted");
    }
    assert_eq!(app.count("audit_events", "action = 'facilities.exported'"), 3);
}

async fn a_hundred_thousand_lines_are_read_in_little_memory(app: TestApp) {
    let supervisor = app.supervisor().await;
    let mut file = HEADER.to_owned();
    for n in 0..100_000 {
        match n % 100 {
            7 => file.push_str(&format!("K-{n},castle,Demo {n},,PK226,,,\n")),
            _ => file.push_str(&format!("K-{n},brick_kiln,Demo {n},,PK226,30.{:04},67.0,\n", n % 2000)),
        }
    }

    let report = import(&supervisor, "?dry_run=true", file).await.ok();

    assert_eq!((&report["lines"], &report["good"]), (&json!(100_000), &json!(99_000)));
    assert_eq!(report["problems"].as_array().unwrap().len(), 1000);
    assert_eq!(report["problems"][999]["line"], 99_909);
}

async fn an_import_reaches_no_farther_than_its_importer(app: TestApp) {
    let supervisor = app.supervisor().await;
    let file = format!("{HEADER},brick_kiln,Demo Far,,PK201,,,\n,orphanage,Demo Home,,PK226,,,\n");

    let report = import(&supervisor, "?dry_run=true", file.clone()).await.ok();

    assert_eq!(harness::codes(&report["problems"]), ["other_line", "outside_area"]);
    for who in ["inspector", "analyst", "deputy-director", "admin", "oversight"] {
        import(&app.login(who).await, "", file.clone()).await.refused(403, "not_permitted");
    }
}

async fn coverage_is_counted_by_district(app: TestApp) {
    let labour = app.login("labour-head").await;
    let file = format!(
        "{HEADER},brick_kiln,Demo One,,PK226,,,factories;F;2025-01-01;2026-11-20\n\
         ,brick_kiln,Demo Two,,PK226,,,factories;F;2025-01-01;2026-11-19\n,mine,Demo Three,,PK234,,,mines;;;\n"
    );
    import(&labour, "", file).await.ok();
    let home = json!({ "kind": "orphanage", "name_en": "Demo Home", "district": "PK226" });
    registered(&app.auditor().await, &home).await;

    let coverage = async |who: &str, query: &str| {
        let answer = app.login(who).await.get(&format!("/v1/facilities/coverage{query}")).await.ok();
        answer["items"].as_array().unwrap().clone()
    };
    let figures = |item: &Value| {
        let figure = |name: &str| item[name].as_i64().unwrap();
        (
            item["district"]["code"].as_str().unwrap().to_owned(),
            figure("known"),
            figure("licensed"),
            figure("never_visited"),
        )
    };

    let seen: Vec<_> = coverage("labour-head", "").await.iter().map(figures).collect();
    assert_eq!(seen, [("PK226".to_owned(), 2, 1, 2), ("PK234".to_owned(), 1, 1, 1)]);
    assert_eq!(coverage("oversight", "").await.len(), 3);
    assert_eq!(coverage("supervisor", "").await.len(), 1);
    assert_eq!(coverage("auditor", "").await[0]["line"], "swd");
    assert_eq!(coverage("labour-head", "?district=PK234").await.len(), 1);
    for stranger in ["admin", "committee1", "enumerator", "log-auditor"] {
        app.login(stranger).await.get("/v1/facilities/coverage").await.refused(403, "not_permitted");
    }
}
