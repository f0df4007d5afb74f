use chrono::NaiveDate;
use serde_json::json;

use super::*;
use crate::places::{Fix, PlaceStatus, PlaceTag};

fn at(lat: f64, lon: f64, accuracy_m: f64) -> Fix {
    Fix { lat, lon, accuracy_m: Some(accuracy_m) }
}

/// The province with its two districts and one tehsil.
fn everything() -> (Scratch, Places) {
    let scratch = Scratch::new();
    for set in [province(), districts(), tehsils()] {
        scratch.import(&set).unwrap();
    }
    let places = scratch.places();
    (scratch, places)
}

fn near(tag: &PlaceTag) -> Vec<(&str, f64)> {
    tag.candidates.iter().map(|candidate| (candidate.name_en.as_str(), candidate.distance_m)).collect()
}

#[test]
fn a_fix_well_inside_has_its_whole_chain() {
    let (_scratch, places) = everything();

    let tag = places.locate(&at(29.25, 66.25, 10.0));

    let expected = json!({
        "status": "inside", "set": "DISTRICTS",
        "province": {"code": "PK2", "name_en": "Balochistan", "name_ur": "بلوچستان"},
        "division": {"code": "PK2-DIV-QUETTA", "name_en": "Quetta", "name_ur": "کوئٹہ"},
        "district": {"code": "PK2-DIS-WEST", "name_en": "West", "name_ur": null},
        "tehsil": {"code": "PK2-DIS-WEST-OLD-TOWN", "name_en": "Old Town", "name_ur": null},
        "distance_to_boundary_m": tag.distance_to_boundary_m, "ambiguous_gps": false, "near_boundary": false,
        "candidates": [{"code": "PK2-DIS-WEST", "name_en": "West", "name_ur": null, "distance_m": 0.0}],
    });
    assert_eq!(serde_json::to_value(&tag).unwrap(), expected);
    assert!((tag.distance_to_boundary_m.unwrap() - 24_300.0).abs() < 100.0, "{tag:?}");
    assert_eq!(tag.area_chain(), ["PK2", "PK2-DIV-QUETTA", "PK2-DIS-WEST", "PK2-DIS-WEST-OLD-TOWN"]);
    assert_eq!(places.locate(&at(29.75, 66.75, 10.0)).tehsil, None);
}

#[test]
fn near_a_line_the_neighbours_are_candidates() {
    let (_scratch, places) = everything();

    let sure = places.locate(&at(29.5, 66.9, 10.0));
    let near_line = places.locate(&at(29.5, 66.995, 10.0));
    let ambiguous = places.locate(&at(29.5, 66.995, 500.0));

    assert_eq!((sure.near_boundary, near(&sure)), (false, vec![("West", 0.0)]));
    assert_eq!((near_line.ambiguous_gps, near_line.near_boundary), (false, true));
    assert_eq!(near(&near_line), [("West", 0.0), ("East", 484.8)]);
    assert_eq!((ambiguous.ambiguous_gps, ambiguous.near_boundary), (true, true));
    assert_eq!(ambiguous.district.unwrap().name_en, "West");
}

#[test]
fn outside_is_never_snapped() {
    let (_scratch, places) = everything();

    let near_by = places.locate(&at(29.5, 65.99, 10.0));
    let far = places.locate(&at(29.5, 65.9, 10.0));

    assert_eq!(near_by.status, PlaceStatus::OutsideNear);
    assert_eq!((&near_by.province, &near_by.district), (&None, &None));
    assert_eq!(near(&near_by), [("West", 969.7)]);
    assert!(near_by.near_boundary && !near_by.ambiguous_gps);
    assert_eq!(far.status, PlaceStatus::Outside);
    assert_eq!((far.candidates, far.near_boundary), (vec![], false));
}

#[test]
fn a_point_on_the_line_is_in_one_district_and_always_the_same() {
    let (_scratch, places) = everything();

    let tag = places.locate(&at(29.5, 67.0, 0.0));

    assert_eq!(tag.district.as_ref().unwrap().code, "PK2-DIS-EAST");
    assert!(tag.ambiguous_gps);
    assert_eq!(near(&tag), [("East", 0.0), ("West", 0.0)]);
    assert_eq!(places.contains(29.5, 67.0, "PK2-DIS-WEST"), Some(true));
}

#[test]
fn impossible_positions_are_outside_and_no_panic() {
    let (_scratch, places) = everything();
    let wrong = [(95.0, 66.0), (29.5, 181.0), (f64::NAN, 66.0), (29.5, f64::INFINITY), (66.25, 29.25)];
    for (lat, lon) in wrong {
        assert_eq!(places.locate(&at(lat, lon, 10.0)).status, PlaceStatus::Outside, "{lat} {lon}");
    }
    for accuracy_m in [None, Some(-1.0), Some(f64::NAN), Some(f64::INFINITY), Some(1e300)] {
        let tag = places.locate(&Fix { lat: 29.25, lon: 66.25, accuracy_m });
        assert_eq!(tag.status, PlaceStatus::Inside);
        assert!(serde_json::to_string(&tag).is_ok());
    }
}

#[test]
fn without_sets_a_fix_waits_for_one() {
    let scratch = Scratch::new();
    let places = scratch.places();
    let fix = at(29.25, 66.25, 10.0);
    assert_eq!(places.locate(&fix).status, PlaceStatus::NoBoundarySet);
    assert_eq!(places.contains(29.25, 66.25, "PK2"), None);
    assert!(places.is_empty());

    scratch.import(&districts()).unwrap();

    let other_handle = places.clone();
    assert!(scratch.db.read_here(|conn| places.refresh(conn)).unwrap());
    assert!(!scratch.db.read_here(|conn| places.refresh(conn)).unwrap());
    let tag = other_handle.locate(&fix);
    assert_eq!((tag.status, tag.province.unwrap().code), (PlaceStatus::Inside, "PK2".to_owned()));
}

#[test]
fn a_gap_between_districts_is_still_in_the_province() {
    let scratch = Scratch::new();
    let only_west = set("DISTRICTS", "2023", &[district("PK2-DIS-WEST", "West", square(66.0, 29.0, 1.0))]);
    scratch.import(&province()).unwrap();
    scratch.import(&only_west).unwrap();

    let tag = scratch.places().locate(&at(29.5, 67.5, 10.0));

    assert_eq!((tag.status, tag.district), (PlaceStatus::Inside, None));
    assert_eq!(tag.province.unwrap().code, "PK2");
}

#[test]
fn areas_contain_points_at_every_level() {
    let (_scratch, places) = everything();
    let inside = ["PK2", "PK2-DIV-QUETTA", "PK2-DIS-WEST", "PK2-DIS-WEST-OLD-TOWN"];
    for code in inside {
        assert_eq!(places.contains(29.25, 66.25, code), Some(true), "{code}");
        assert_eq!(places.contains(25.0, 62.0, code), Some(false), "{code}");
        assert_eq!(places.contains(95.0, f64::NAN, code), Some(false), "{code}");
    }
    assert_eq!(places.contains(29.25, 66.25, "PK2-DIS-EAST"), Some(false));
    assert_eq!(places.contains(29.25, 66.25, "PK999"), None);
}

#[test]
fn the_newest_vintage_in_force_is_used() {
    let scratch = Scratch::new();
    let old = |lon| [district("PK2-DIS-OLD", "Old", square(lon, 29.0, 1.0))];
    let mut ended = set("ENDED", "2030", &[district("PK2-DIS-ENDED", "Ended", square(66.0, 29.0, 1.0))]);
    ended["metadata"]["valid_to"] = json!("2031-01-01");
    for set in [districts(), set("OLD", "2011-2012 (before the split)", &old(66.0)), ended] {
        scratch.import(&set).unwrap();
    }
    let (places, fix) = (scratch.places(), at(29.25, 66.25, 10.0));
    let on = |date: &str| places.locate_on(&fix, date.parse::<NaiveDate>().unwrap()).set.unwrap();

    assert_eq!(places.locate(&fix).set.as_deref(), Some("DISTRICTS"));
    assert_eq!(on("2030-12-31"), "ENDED");
    assert_eq!(on("2031-01-01"), "DISTRICTS");

    scratch.import(&set("DISTRICTS", "2023-06", &old(66.1))).unwrap();
    scratch.db.read_here(|conn| places.refresh(conn)).unwrap();
    assert_eq!(places.locate(&fix).district.unwrap().name_en, "Old");
}

#[test]
fn other_provinces_of_a_whole_country_are_outside() {
    let scratch = Scratch::new();
    let ours = district("PK226", "Quetta", square(66.0, 29.0, 1.0));
    let theirs = feature(
        json!({"pcode": "PK801", "name_en": "Badin", "level": 2, "province_pcode": "PK8"}),
        square(67.0, 29.0, 1.0),
    );
    scratch.import(&set("COUNTRY", "2023", &[ours, theirs])).unwrap();
    let places = scratch.places();

    assert_eq!(places.locate(&at(29.5, 66.5, 10.0)).status, PlaceStatus::Inside);
    assert_eq!(places.locate(&at(29.5, 67.5, 10.0)).status, PlaceStatus::Outside);
}
