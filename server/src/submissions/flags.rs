//! Flags: what smells wrong about a visit. A flag carries its figures and refuses nothing; people decide.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, FixedOffset, Utc};
use form_engine::MediaReference;
use serde_json::{Map, Value, json};

use super::envelope::{Envelope, Location};
use super::model::Flag;
use crate::config::FlagConfig;
use crate::places::{PlaceStatus, PlaceTag};

/// What the flags are computed from.
pub(super) struct Circumstances<'a> {
    pub(super) envelope: &'a Envelope,
    pub(super) place: &'a PlaceTag,
    pub(super) filer_areas: &'a [String],
    pub(super) answered_district: Option<&'a str>,
    pub(super) answer_count: usize,
    pub(super) referred_media: &'a [MediaReference],
    pub(super) received_at: DateTime<Utc>,
}

/// A visit reported this long after it ended is worth a look: phones come home within a season.
const LONG_AGO_DAYS: i64 = 180;

/// Everything that smells wrong, in a fixed order.
pub(super) fn raise(thresholds: &FlagConfig, about: &Circumstances) -> Vec<Flag> {
    let mut flags = Vec::new();
    if let Some(location) = &about.envelope.location {
        about_the_fix(thresholds, about, location, &mut flags);
    }
    about_the_place(about, &mut flags);
    about_the_time(thresholds, about, &mut flags);
    about_the_media(about, &mut flags);
    flags
}

fn about_the_fix(thresholds: &FlagConfig, about: &Circumstances, fix: &Location, flags: &mut Vec<Flag>) {
    if fix.lat.abs() > 90.0 || fix.lon.abs() > 180.0 {
        flags.push(flag("location_impossible", json!({ "lat": fix.lat, "lon": fix.lon })));
    }
    match fix.accuracy_m {
        Some(accuracy) if accuracy < 0.0 => {
            flags.push(flag("accuracy_impossible", json!({ "accuracy_m": accuracy })))
        }
        Some(accuracy) if accuracy > thresholds.poor_accuracy_m => flags.push(flag(
            "poor_accuracy",
            json!({ "accuracy_m": accuracy, "limit_m": thresholds.poor_accuracy_m }),
        )),
        _ => {}
    }
    if let Some(fixed_at) = fix.fixed_at {
        let minutes = minutes_outside_the_visit(about.envelope, fixed_at);
        if minutes > thresholds.stale_fix_minutes {
            flags.push(flag(
                "stale_fix",
                json!({ "minutes_outside_visit": minutes, "limit_minutes": thresholds.stale_fix_minutes }),
            ));
        }
    }
    if fix.mocked {
        flags.push(flag("mock_location", json!({})));
    }
}

/// How long before the visit began, or after it ended, the fix was taken; 0 within it.
fn minutes_outside_the_visit(envelope: &Envelope, fixed_at: DateTime<FixedOffset>) -> i64 {
    let began = envelope.started_at.unwrap_or(envelope.finished_at).min(envelope.finished_at);
    let before = (began - fixed_at).num_minutes();
    let after = (fixed_at - envelope.finished_at).num_minutes();
    before.max(after).max(0)
}

fn about_the_place(about: &Circumstances, flags: &mut Vec<Flag>) {
    let place = about.place;
    if matches!(place.status, PlaceStatus::Outside | PlaceStatus::OutsideNear) {
        flags.push(flag(
            "outside_province",
            json!({ "distance_m": place.distance_to_boundary_m.map(f64::round) }),
        ));
    }
    let chain = place.area_chain();
    let in_own_area = about.filer_areas.iter().any(|area| chain.contains(area));
    if place.status == PlaceStatus::Inside && !about.filer_areas.is_empty() && !in_own_area {
        flags.push(flag(
            "outside_own_area",
            json!({ "district": place.district.as_ref().map(|it| &it.code) }),
        ));
    }
    if let (Some(found), Some(answered)) = (&place.district, about.answered_district)
        && found.code != answered
    {
        let possible = place.candidates.iter().any(|candidate| candidate.code == answered);
        flags.push(flag(
            "district_differs",
            json!({ "answered": answered, "located": found.code, "possible_within_accuracy": possible }),
        ));
    }
}

fn about_the_time(thresholds: &FlagConfig, about: &Circumstances, flags: &mut Vec<Flag>) {
    let envelope = about.envelope;
    let limit = thresholds.clock_skew_minutes;
    if let Some(skew) = clock_skew(about)
        && skew.abs() > limit * 60
    {
        flags.push(flag("clock_skew", json!({ "skew_seconds": skew, "limit_minutes": limit })));
    }
    let since = about.received_at - envelope.finished_at.to_utc();
    if since.num_minutes() < -limit {
        flags.push(flag("finished_in_future", json!({ "minutes": -since.num_minutes() })));
    } else if since.num_days() > LONG_AGO_DAYS {
        flags.push(flag(
            "finished_long_ago",
            json!({ "days": since.num_days(), "limit_days": LONG_AGO_DAYS }),
        ));
    }
    if let Some(started_at) = envelope.started_at {
        let took = (envelope.finished_at - started_at).num_seconds();
        let least = (thresholds.seconds_per_answer * about.answer_count as f64).round() as i64;
        if took < least {
            let figures = json!({ "seconds": took, "answers": about.answer_count, "least_seconds": least });
            flags.push(flag("too_fast", figures));
        }
    }
}

/// By how much the phone's clock is certainly wrong. The envelope may have waited days for a network, so a clock
/// behind the server's proves nothing; one ahead of it does, and so does one behind the visit's own end.
fn clock_skew(about: &Circumstances) -> Option<i64> {
    let clock = about.envelope.device.as_ref()?.clock?.to_utc();
    let ahead = (clock - about.received_at).num_seconds();
    let behind = (clock - about.envelope.finished_at.to_utc()).num_seconds();
    Some(if ahead > 0 { ahead } else { behind.min(0) })
}

fn about_the_media(about: &Circumstances, flags: &mut Vec<Flag>) {
    let declared: HashSet<&str> = about.envelope.media.iter().map(|media| media.name.as_str()).collect();
    let undeclared: Vec<&str> = about
        .referred_media
        .iter()
        .map(|media| &*media.name)
        .filter(|name| !declared.contains(name))
        .collect();
    if !undeclared.is_empty() {
        flags.push(flag("media_undeclared", json!({ "names": undeclared })));
    }
    let unchecked: Vec<&str> = about
        .referred_media
        .iter()
        .filter(|media| media.faces_checked == Some(false))
        .map(|media| &*media.name)
        .collect();
    if !unchecked.is_empty() {
        flags.push(flag("faces_unchecked", json!({ "names": unchecked })));
    }
}

fn flag(code: &str, figures: Value) -> Flag {
    let (en, ur) = words(code);
    let message = BTreeMap::from([("en".to_owned(), en.to_owned()), ("ur".to_owned(), ur.to_owned())]);
    Flag { code: code.to_owned(), message, figures: figures.as_object().cloned().unwrap_or_else(Map::new) }
}

fn words(code: &str) -> (&'static str, &'static str) {
    match code {
        "location_impossible" => ("The coordinates cannot exist.", "یہ محل وقوع ممکن نہیں۔"),
        "accuracy_impossible" => ("The accuracy cannot be negative.", "درستگی منفی نہیں ہو سکتی۔"),
        "poor_accuracy" => ("The fix is not accurate enough.", "مقام کی درستگی کم ہے۔"),
        "stale_fix" => ("The fix was not taken during the visit.", "مقام معائنے کے وقت کا نہیں۔"),
        "mock_location" => ("The phone says the location is simulated.", "فون کے مطابق مقام مصنوعی ہے۔"),
        "outside_province" => ("The point lies outside the province.", "مقام صوبے سے باہر ہے۔"),
        "outside_own_area" => {
            ("The point lies outside the filer's own area.", "مقام معائنہ کار کے علاقے سے باہر ہے۔")
        }
        "district_differs" => {
            ("The point lies in another district than the one answered.", "مقام بتائے گئے ضلع میں نہیں۔")
        }
        "clock_skew" => ("The phone's clock is wrong.", "فون کی گھڑی درست نہیں۔"),
        "finished_in_future" => ("The visit ends after it was received.", "معائنے کا وقت مستقبل میں ہے۔"),
        "finished_long_ago" => ("The visit is reported very late.", "معائنہ بہت دیر سے بھیجا گیا۔"),
        "too_fast" => ("The visit was too short for so many answers.", "اتنے جوابات کے لیے وقت بہت کم تھا۔"),
        "media_undeclared" => (
            "An answer names a file the envelope does not declare.",
            "جواب میں ایسی فائل ہے جو فہرست میں نہیں۔",
        ),
        "faces_unchecked" => ("A photo was not checked for faces.", "تصویر میں چہروں کی جانچ نہیں ہوئی۔"),
        _ => ("Worth a look.", "توجہ طلب۔"),
    }
}
