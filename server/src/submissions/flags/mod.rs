//! Flags: what smells wrong about a visit. A flag carries its figures and refuses nothing; people decide.
//!
//! Most are raised while a filing is judged, and stand in the judgement. Those that only the database can raise (how
//! fast the filer travelled) or that come later (what a photo's camera says) stand beside it, and are shown with it.

mod facility;
mod late;
mod photos;
mod store;
mod travel;
mod words;

use std::collections::HashSet;

use chrono::{DateTime, FixedOffset, Utc};
use form_engine::MediaReference;
use serde_json::json;

use super::envelope::{Envelope, Location};
use super::model::Flag;
use crate::config::FlagConfig;
use crate::places::{self, PlaceStatus, PlaceTag};

pub use late::COMPARE_PHOTOS;
pub(super) use late::{about_media, after_filing, late};
pub(super) use photos::compare;
pub(super) use travel::{Neighbours, Seen, Whereabouts};
use words::flag;

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

/// Where something is known to be, give or take its accuracy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Position {
    pub(super) lat: f64,
    pub(super) lon: f64,
    pub(super) accuracy_m: f64,
}

impl Position {
    /// The fix of an envelope, where it can exist.
    pub(super) fn of(fix: &Location) -> Option<Position> {
        let accuracy_m = fix.accuracy_m.filter(|metres| *metres >= 0.0).unwrap_or(0.0);
        let exists = fix.lat.abs() <= 90.0 && fix.lon.abs() <= 180.0;
        exists.then_some(Position { lat: fix.lat, lon: fix.lon, accuracy_m })
    }

    /// The great-circle distance to `other` in metres.
    fn distance_m(&self, other: &Position) -> f64 {
        places::distance_m((self.lat, self.lon), (other.lat, other.lon))
    }

    /// How far apart they are at least, whatever way both are inaccurate.
    fn at_least_m(&self, other: &Position) -> f64 {
        (self.distance_m(other) - self.accuracy_m - other.accuracy_m).max(0.0)
    }
}

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
    } else if since.num_days() > thresholds.long_ago_days {
        let figures = json!({ "days": since.num_days(), "limit_days": thresholds.long_ago_days });
        flags.push(flag("finished_long_ago", figures));
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
