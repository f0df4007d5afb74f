use serde_json::json;

use super::*;
use crate::audit;
use crate::places::{ImportOutcome, geojson, list, read, set_named};

/// The messages of a refused set.
fn refused(set: &Value) -> Vec<String> {
    refused_with(set, &ImportOptions::default())
}

fn refused_with(set: &Value, options: &ImportOptions) -> Vec<String> {
    let error = read(set.to_string().as_bytes(), options).unwrap_err();
    let problems = error.members.get("problems").and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |problem: &Value| {
        let name = problem["name"].as_str().map(|name| format!("{name}: ")).unwrap_or_default();
        format!("{name}{}", problem["message"].as_str().unwrap())
    };
    problems.iter().map(text).collect()
}

fn one_area(geometry: Value) -> Value {
    set("ONE", "2023", &[district("PK226", "Quetta", geometry)])
}

fn ring(positions: Value) -> Value {
    json!({"type": "Polygon", "coordinates": [positions]})
}

#[test]
fn an_import_is_recorded_and_listed() {
    let scratch = Scratch::new();

    let imported = scratch.import(&districts()).unwrap();

    assert_eq!((imported.outcome, imported.set.area_count, imported.set.level), (ImportOutcome::Added, 2, 2));
    assert_eq!(imported.set.line_uncertainty_m, 1000.0);
    assert!(imported.to_string().starts_with("imported DISTRICTS: 2 areas of level 2, 2023\n"), "{imported}");
    let listed = scratch.db.read_here(list).unwrap().to_string();
    assert!(listed.contains("DISTRICTS      2      2  2023        CC0-1.0"), "{listed}");
    let sealed = scratch.db.write_here(crate::db::By::system(), audit::seal_pending).unwrap();
    assert_eq!(sealed, 1);
}

#[test]
fn the_same_file_again_changes_nothing() {
    let scratch = Scratch::new();
    let first = scratch.import(&districts()).unwrap();

    let again = scratch.import(&districts()).unwrap();

    assert_eq!((again.outcome, &again.set.id), (ImportOutcome::AlreadyThere, &first.set.id));
    assert!(again.to_string().starts_with("nothing to do: this file was imported as DISTRICTS"), "{again}");
    assert_eq!(scratch.db.read_here(list).unwrap().0.len(), 1);
}

#[test]
fn a_set_is_given_back_with_its_licence_and_can_be_imported_again() {
    let scratch = Scratch::new();
    scratch.import(&districts()).unwrap();

    let stored = scratch.db.read_here(|conn| set_named(conn, "DISTRICTS")).unwrap();
    let text = scratch.db.read_here(|conn| geojson(conn, &stored)).unwrap();

    let given: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(given["metadata"]["licence"], "CC0-1.0");
    assert_eq!(given["metadata"]["attribution"], "made up");
    assert_eq!(given["features"][0]["properties"]["pcode"], "PK2-DIS-EAST");
    let elsewhere = Scratch::new();
    assert_eq!(elsewhere.import(&given).unwrap().set.area_count, 2);
    let unknown = scratch.db.read_here(|conn| set_named(conn, "NONE")).unwrap_err();
    assert_eq!(unknown.code, "boundary_set_not_found");
}

#[test]
fn a_set_without_licence_vintage_or_name_is_refused_with_all_its_faults() {
    let mut bare = districts();
    bare.as_object_mut().unwrap().remove("metadata");

    let messages = refused(&bare);

    for (word, option) in [
        ("set_id", "--set-id"),
        ("licence", "--licence"),
        ("attribution", "--attribution"),
        ("vintage", "--vintage"),
    ] {
        assert!(
            messages.iter().any(|message| message.contains(word) && message.contains(option)),
            "{word}: {messages:?}"
        );
    }
    let said = |text: &str| Some(text.to_owned());
    let options = ImportOptions {
        set_id: said("A"),
        vintage: said("2023"),
        licence: said("CC0"),
        attribution: said("me"),
        line_uncertainty_m: Some(50.0),
        ..ImportOptions::default()
    };
    assert!(read(bare.to_string().as_bytes(), &options).is_ok());
    assert_eq!(refused_with(&bare, &ImportOptions { licence: said("  "), ..options }).len(), 1);
}

#[test]
fn swapped_coordinates_are_named_as_such() {
    let swapped =
        one_area(ring(json!([[29.0, 66.0], [30.0, 66.0], [30.0, 67.0], [29.0, 67.0], [29.0, 66.0]])));
    assert_eq!(
        refused(&swapped),
        ["Quetta: latitude stands before longitude: GeoJSON wants [longitude, latitude]; swap them"]
    );
}

#[test]
fn other_coordinate_systems_are_refused() {
    let mut utm = one_area(ring(json!([
        [300000.0, 3200000.0],
        [300100.0, 3200000.0],
        [300100.0, 3200100.0],
        [300000.0, 3200000.0]
    ])));
    utm["crs"] = json!({"type": "name", "properties": {"name": "EPSG:32642"}});
    let messages = refused(&utm);
    assert!(messages[0].contains("in EPSG:32642; only CRS84"), "{messages:?}");
    assert!(messages[1].contains("[300000, 3200000] is no longitude and latitude"), "{messages:?}");

    let mut named = districts();
    named["crs"] = json!({"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}});
    assert!(read(named.to_string().as_bytes(), &ImportOptions::default()).is_ok());
}

#[test]
fn broken_rings_are_refused() {
    let open = ring(json!([[66.0, 29.0], [67.0, 29.0], [67.0, 30.0], [66.0, 30.0]]));
    let short = ring(json!([[66.0, 29.0], [67.0, 29.0], [66.0, 29.0]]));
    let bow_tie = ring(json!([[66.0, 29.0], [67.0, 30.0], [67.0, 29.0], [66.0, 30.0], [66.0, 29.0]]));
    let point = json!({"type": "Point", "coordinates": [66.0, 29.0]});
    for (geometry, message) in [
        (open, "is not closed"),
        (short, "has 3 positions"),
        (bow_tie, "not valid"),
        (point, "it has Point where"),
        (Value::Null, "it has no geometry where"),
        (json!({"type": "MultiPolygon", "coordinates": []}), "where a Polygon"),
        (json!({"type": "Polygon", "coordinates": []}), "has no ring"),
    ] {
        let messages = refused(&one_area(geometry));
        assert!(messages.len() == 1 && messages[0].contains(message), "{message}: {messages:?}");
    }
}

#[test]
fn every_faulty_feature_is_named() {
    let nameless = feature(json!({"level": 2}), square(70.0, 29.0, 1.0));
    let twin = district("PK2-DIS-WEST", "Twin", square(69.0, 29.0, 1.0));
    let tehsil =
        feature(json!({"name_en": "Tehsil", "level": 3, "pcode": "PK22601"}), square(71.0, 29.0, 1.0));
    let mut faulty = districts();
    faulty["features"].as_array_mut().unwrap().extend([nameless, twin, tehsil]);

    let messages = refused(&faulty);

    assert!(messages.iter().any(|message| message.contains("it has no name")), "{messages:?}");
    assert!(messages.iter().any(|message| message.contains("it has no code")), "{messages:?}");
    assert!(
        messages.contains(&"Twin: its code PK2-DIS-WEST is also that of West".to_owned()),
        "{messages:?}"
    );
    assert!(messages.iter().any(|message| message.starts_with("Tehsil: its level is not 2")), "{messages:?}");
}

#[test]
fn overlaps_are_refused_and_gaps_reported() {
    let over = [
        district("PK226", "Quetta", square(66.0, 29.0, 1.0)),
        district("PK220", "Mastung", square(66.5, 29.0, 1.0)),
    ];
    let messages = refused(&set("OVER", "2023", &over));
    assert!(
        messages.len() == 1 && messages[0].starts_with("Mastung: it overlaps Quetta by 53"),
        "{messages:?}"
    );

    let frame = json!({"type": "Polygon", "coordinates": [
        [[66.0, 29.0], [67.0, 29.0], [67.0, 30.0], [66.0, 30.0], [66.0, 29.0]],
        [[66.4, 29.4], [66.4, 29.5], [66.5, 29.5], [66.5, 29.4], [66.4, 29.4]],
    ]});
    let gap = read(one_area(frame).to_string().as_bytes(), &ImportOptions::default()).unwrap();
    assert_eq!(gap.warnings, ["no area covers 107.53 km² around latitude 29.450, longitude 66.450"]);
}

#[test]
fn a_parent_must_exist_where_its_level_is_loaded() {
    let scratch = Scratch::new();
    scratch.import(&tehsils()).unwrap();
    scratch.import(&districts()).unwrap();
    let stray =
        feature(json!({"name_en": "Stray", "level": 3, "adm2_pcode": "PK299"}), square(66.0, 29.0, 0.5));

    let error = scratch.import(&set("STRAY", "2023", &[stray])).unwrap_err();

    assert!(error.detail.contains("feature 0 (Stray): its parent PK299 is in no set of level 2"), "{error}");
    assert_eq!(scratch.db.read_here(list).unwrap().0.len(), 2);
}

#[test]
fn cod_ab_and_geoboundaries_are_understood() {
    let scratch = Scratch::new();
    let cod = json!({"adm2_name": "Quetta", "adm2_pcode": "PK226", "adm1_pcode": "PK2", "valid_on": "2022-09-30", "version": "v02"});
    let cod = json!({"type": "FeatureCollection", "features": [feature(cod, square(66.0, 29.0, 1.0))]});
    let said = |text: &str| Some(text.to_owned());
    let options = ImportOptions {
        set_id: said("COD"),
        licence: said("CC BY-IGO"),
        attribution: said("OCHA"),
        ..ImportOptions::default()
    };

    let set = import_bytes(&scratch.db, cod.to_string().as_bytes(), &options).unwrap().set;

    assert_eq!(
        (set.level, set.vintage.as_str(), set.valid_from.as_deref()),
        (2, "2022-09-30 (v02)", Some("2022-09-30"))
    );
    let tag = scratch.places().locate(&crate::places::Fix { lat: 29.5, lon: 66.5, accuracy_m: None });
    let district = tag.district.unwrap();
    assert_eq!((district.code.as_str(), district.name_ur.as_deref()), ("PK226", Some("کوئٹہ")));
    assert_eq!(tag.division.unwrap().code, "PK2-DIV-QUETTA");
    assert_eq!(tag.province.unwrap().code, "PK2");

    let named = |name: &str, lon: f64| {
        feature(json!({"shapeName": name, "shapeID": name, "shapeType": "ADM2"}), square(lon, 29.0, 1.0))
    };
    let divisions = ["Quetta", "Kalat", "Zhob", "Sibi", "Nasirabad", "Loralai"];
    let divisions: Vec<Value> =
        divisions.iter().enumerate().map(|(at, name)| named(name, 61.0 + at as f64)).collect();
    let divisions = json!({"type": "FeatureCollection", "features": divisions});
    let options = ImportOptions { vintage: said("2019"), ..options };
    assert!(refused_with(&divisions, &options)[0].starts_with("these are divisions, not districts"));
}

#[test]
fn what_is_no_feature_collection_is_refused_without_panic() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for bytes in [
        &b"\xff\xfe"[..],
        b"",
        b"{}",
        b"[]",
        b"null",
        br#"{"type":"FeatureCollection","features":[]}"#,
        deep.as_bytes(),
    ] {
        assert_eq!(read(bytes, &ImportOptions::default()).unwrap_err().code, "not_geojson");
    }
    let odd = json!({"type": "Polygon", "coordinates": [[[66.0], [1e300, 2.0], [0.0, 0.0], [66.0]]]});
    assert!(read(one_area(odd).to_string().as_bytes(), &ImportOptions::default()).is_err());
}
