//! What photos say against the visit they came with: taken elsewhere, at another time, sent before, or not readable.

use chrono::{DateTime, FixedOffset, NaiveDateTime};
use serde::Deserialize;
use serde_json::json;

use super::Position;
use super::late::{self, Late};
use super::words::flag;
use crate::config::FlagConfig;
use crate::db::Tx;
use crate::error::Result;
use crate::media::{self, Photo, PhotoState};
use crate::submissions::envelope::Location;
use crate::submissions::model::{Revision, SubmissionId};
use crate::submissions::store;

/// Of how many submissions that hold one photo it is said that there are so many.
const COUNTED: i64 = 50;

/// The visit, as its envelope says.
#[derive(Deserialize)]
struct Visit {
    #[serde(default)]
    location: Option<Location>,
    #[serde(default)]
    started_at: Option<DateTime<FixedOffset>>,
    finished_at: DateTime<FixedOffset>,
}

/// Raises what the photos of a submission say against its current revision. Photos nobody has looked into yet are
/// left for when somebody has.
pub(in crate::submissions) fn compare(tx: &mut Tx, thresholds: &FlagConfig, id: &SubmissionId) -> Result<()> {
    let Some(head) = store::head(tx.conn, id)? else { return Ok(()) };
    let Some(revision) = store::revision(tx.conn, id, head.revision)? else { return Ok(()) };
    let Some(visit) = visit_of(&revision)? else { return Ok(()) };
    let mut raised = Vec::new();
    for (name, photo) in media::photos_of(tx.conn, id.as_str())? {
        raised.extend(about_the_file(&name, &photo));
        raised.extend(about_the_position(thresholds, &name, &photo, &visit));
        raised.extend(about_the_time(thresholds, &name, &photo, &visit));
        raised.extend(about_its_use(tx, &name, &photo, id)?);
    }
    late::raise(tx, &head, &revision.judgement()?, &raised)
}

fn visit_of(revision: &Revision) -> Result<Option<Visit>> {
    Ok(serde_json::from_slice(&revision.raw()?).ok())
}

fn about(name: &str, flag: super::Flag) -> Late {
    Late { subject: name.to_owned(), flag }
}

fn about_the_file(name: &str, photo: &Photo) -> Option<Late> {
    let why = photo.why.as_deref().unwrap_or_default();
    // A kind that is only kept is no fault of the photo.
    let spoilt =
        photo.state == PhotoState::Broken || (photo.state == PhotoState::Undecodable && why != "kept_only");
    spoilt.then(|| about(name, flag("photo_broken", json!({ "name": name, "why": why }))))
}

fn about_the_position(thresholds: &FlagConfig, name: &str, photo: &Photo, visit: &Visit) -> Option<Late> {
    let fix = visit.location.as_ref().and_then(Position::of)?;
    let accuracy_m = photo.position_error_m.unwrap_or(0.0);
    let taken = Position { lat: photo.lat?, lon: photo.lon?, accuracy_m };
    if fix.at_least_m(&taken) <= thresholds.photo_distance_m {
        return None;
    }
    let figures = json!({
        "name": name,
        "distance_m": fix.distance_m(&taken).round(),
        "accuracy_m": fix.accuracy_m,
        "photo_accuracy_m": photo.position_error_m,
        "limit_m": thresholds.photo_distance_m,
    });
    Some(about(name, flag("photo_far_from_fix", figures)))
}

fn about_the_time(thresholds: &FlagConfig, name: &str, photo: &Photo, visit: &Visit) -> Option<Late> {
    let taken = taken_at(photo.taken_at.as_deref()?, visit.finished_at.offset())?;
    let began = visit.started_at.unwrap_or(visit.finished_at).min(visit.finished_at);
    let (before, after) = ((began - taken).num_minutes(), (taken - visit.finished_at).num_minutes());
    let minutes = before.max(after).max(0);
    if minutes <= thresholds.photo_minutes {
        return None;
    }
    let figures = json!({
        "name": name,
        "minutes_outside_visit": minutes,
        "before_it": before > 0,
        "limit_minutes": thresholds.photo_minutes,
    });
    Some(about(name, flag("photo_time_outside_visit", figures)))
}

/// The instant a camera wrote down. One that gives no offset is taken to go by the same time as the phone.
fn taken_at(text: &str, offset: &FixedOffset) -> Option<DateTime<FixedOffset>> {
    DateTime::parse_from_rfc3339(text).ok().or_else(|| {
        let local: NaiveDateTime = text.parse().ok()?;
        local.and_local_timezone(*offset).single()
    })
}

/// Whether other submissions held the photo before this one did.
fn about_its_use(tx: &mut Tx, name: &str, photo: &Photo, id: &SubmissionId) -> Result<Option<Late>> {
    let holders = media::holders(tx.conn, &photo.sha256, COUNTED)?;
    let earlier = holders.iter().take_while(|holder| holder.submission_id != id.as_str()).count();
    Ok((earlier > 0)
        .then(|| about(name, flag("photo_reused", json!({ "name": name, "earlier_submissions": earlier })))))
}
