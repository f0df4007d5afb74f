//! Whether somebody can have been at both places: the filer's visit before this one and the one after, by when they
//! ended. Phones deliver late and out of order, so whichever of two visits arrives second is compared with the other.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, FixedOffset, Utc};
use serde::Deserialize;
use serde_json::json;

use super::Position;
use super::late::Late;
use super::store::{self, OtherVisit};
use super::words::flag;
use crate::config::FlagConfig;
use crate::db::{At, DbConn};
use crate::error::Result;
use crate::submissions::envelope::{Envelope, Location};
use crate::submissions::model::{Head, SubmissionId};
use crate::submissions::store as submissions;

/// Where and when a visit took place, and from where that smells wrong.
pub(in crate::submissions) struct Whereabouts {
    visit: Option<Visit>,
    pub(super) thresholds: FlagConfig,
}

#[derive(Clone, Copy, Debug)]
struct Visit {
    at: Position,
    began: DateTime<Utc>,
    ended: DateTime<Utc>,
}

/// What of an envelope says where and when.
#[derive(Deserialize)]
struct Said {
    location: Option<Location>,
    #[serde(default)]
    started_at: Option<DateTime<FixedOffset>>,
    finished_at: DateTime<FixedOffset>,
}

impl Visit {
    fn of(
        location: Option<&Location>,
        started_at: Option<DateTime<FixedOffset>>,
        finished_at: DateTime<FixedOffset>,
    ) -> Option<Visit> {
        let ended = finished_at.to_utc();
        let began = started_at.map_or(ended, |at| at.to_utc()).min(ended);
        Some(Visit { at: Position::of(location?)?, began, ended })
    }
}

impl Whereabouts {
    /// What is needed of an envelope to compare it with other visits.
    pub(in crate::submissions) fn of(envelope: &Envelope, thresholds: &FlagConfig) -> Whereabouts {
        let (started_at, finished_at) = (envelope.started_at, envelope.finished_at);
        Whereabouts {
            visit: Visit::of(envelope.location.as_ref(), started_at, finished_at),
            thresholds: thresholds.clone(),
        }
    }

    /// The fix, where there is one that can exist.
    pub(super) fn position(&self) -> Option<Position> {
        self.visit.as_ref().map(|visit| visit.at)
    }

    /// The flags that the filer's neighbouring visits give rise to.
    pub(super) fn check(&self, conn: &mut DbConn, others: &Neighbours) -> Result<Vec<Late>> {
        let Some(visit) = &self.visit else { return Ok(Vec::new()) };
        let mut raised = Vec::new();
        for other in &others.0 {
            // Near by, as nearly always: nothing more need be read.
            if self.is_near(visit, other) {
                continue;
            }
            if let Some(there) = whole(conn, other)? {
                raised.extend(self.compare(visit, &there, other));
            }
        }
        Ok(raised)
    }

    fn is_near(&self, visit: &Visit, other: &OtherVisit) -> bool {
        let (Some(lat), Some(lon)) = (other.lat, other.lon) else { return true };
        let there = Position { lat, lon, accuracy_m: 0.0 };
        visit.at.at_least_m(&there) <= self.thresholds.travel_least_m
    }

    fn compare(&self, here: &Visit, there: &Visit, other: &OtherVisit) -> Option<Late> {
        let metres = here.at.at_least_m(&there.at);
        let (first, second) = if there.ended <= here.ended { (there, here) } else { (here, there) };
        let seconds = (second.began - first.ended).num_seconds();
        // Visits that overlap leave no time at all, whatever the speed.
        let kmh = (seconds > 0).then(|| metres / seconds as f64 * 3.6);
        if metres <= self.thresholds.travel_least_m
            || kmh.is_some_and(|kmh| kmh <= self.thresholds.travel_kmh)
        {
            return None;
        }
        let figures = json!({
            "distance_m": here.at.distance_m(&there.at).round(),
            "least_distance_m": metres.round(),
            "seconds": seconds,
            "speed_kmh": kmh.map(f64::round),
            "limit_kmh": self.thresholds.travel_kmh,
            "other": other.id,
        });
        Some(Late { subject: other.id.to_string(), flag: flag("impossible_travel", figures) })
    }
}

/// A visit that is being filed, as far as finding its neighbours takes.
#[derive(Clone, Copy)]
pub(in crate::submissions) struct Seen<'s> {
    pub(in crate::submissions) account: &'s str,
    pub(in crate::submissions) id: &'s SubmissionId,
    /// When it ended.
    pub(in crate::submissions) at: At,
    pub(in crate::submissions) point: Option<(f64, f64)>,
}

/// The filer's visits with a fix that ended before and after a visit.
#[derive(Default)]
pub(in crate::submissions) struct Neighbours(Vec<OtherVisit>);

impl Neighbours {
    /// Those of a visit that is stored.
    pub(in crate::submissions) fn of(conn: &mut DbConn, head: &Head) -> Result<Neighbours> {
        if head.lat.is_none() {
            return Ok(Neighbours::default());
        }
        store::neighbours(conn, &head.account_id, &head.id, head.finished_at).map(Neighbours)
    }

    /// Those of visits that are about to be stored, in this order: each is compared with what stands and with those before it.
    pub(in crate::submissions) fn of_all<'s>(
        conn: &mut DbConn,
        visits: impl Iterator<Item = Seen<'s>>,
    ) -> Result<Vec<Neighbours>> {
        let visits: Vec<Seen> = visits.collect();
        let mut all = store::neighbours_of_all(conn, &visits)?;
        let mut before: HashMap<&str, BTreeMap<(At, &str), OtherVisit>> = HashMap::new();
        for (visit, found) in visits.iter().zip(&mut all) {
            let Some(point) = visit.point else { continue };
            let own = before.entry(visit.account).or_default();
            let earlier = own.range(..=(visit.at, "~")).next_back();
            let later = own.range((visit.at, "~")..).next();
            for ((at, _), other) in earlier.into_iter().chain(later) {
                take_nearer(found, visit.at, *at, other);
            }
            let other = OtherVisit {
                id: visit.id.clone(),
                revision: 1,
                lat: Some(point.0),
                lon: Some(point.1),
                at: visit.at,
            };
            own.insert((visit.at, visit.id.as_str()), other);
        }
        Ok(all.into_iter().map(Neighbours).collect())
    }
}

/// Puts `other`, which ended at `at`, in the place of the neighbour on its side, if it is the nearer one.
fn take_nearer(found: &mut Vec<OtherVisit>, own: At, at: At, other: &OtherVisit) {
    let is_before = at <= own;
    match found.iter_mut().find(|it| (it.at <= own) == is_before) {
        Some(it) if is_before && it.at > at => {}
        Some(it) if !is_before && it.at <= at => {}
        Some(it) => *it = other.clone(),
        None => found.push(other.clone()),
    }
}

/// The other visit with its accuracy and its beginning, which only its envelope holds.
fn whole(conn: &mut DbConn, other: &OtherVisit) -> Result<Option<Visit>> {
    let Some(revision) = submissions::revision(conn, &other.id, other.revision)? else { return Ok(None) };
    let said: Option<Said> = serde_json::from_slice(&revision.raw()?).ok();
    Ok(said.and_then(|said| Visit::of(said.location.as_ref(), said.started_at, said.finished_at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(lat: f64, lon: f64, accuracy_m: f64, began: &str, ended: &str) -> Visit {
        let at = |text: &str| format!("2026-11-20T{text}:00Z").parse().unwrap();
        Visit { at: Position { lat, lon, accuracy_m }, began: at(began), ended: at(ended) }
    }

    fn figures(here: Visit, there: Visit) -> Option<serde_json::Map<String, serde_json::Value>> {
        let other = OtherVisit {
            id: uuid::Uuid::nil().into(),
            revision: 1,
            lat: None,
            lon: None,
            at: At::from_micros(0),
        };
        let about = Whereabouts { visit: None, thresholds: FlagConfig::default() };
        about.compare(&here, &there, &other).map(|late| late.flag.figures)
    }

    #[test]
    fn from_quetta_to_turbat_in_an_hour_is_too_fast_and_in_a_day_is_not() {
        let quetta = visit(30.1841, 67.0014, 10.0, "08:00", "09:00");
        let in_an_hour = visit(26.0012, 63.0485, 10.0, "10:00", "10:30");
        let in_a_day = visit(26.0012, 63.0485, 10.0, "22:00", "22:30");

        let raised = figures(in_an_hour, quetta).unwrap();
        let other_way = figures(quetta, in_an_hour).unwrap();

        assert!((590_000.0..620_000.0).contains(&raised["distance_m"].as_f64().unwrap()), "{raised:?}");
        assert!((590.0..620.0).contains(&raised["speed_kmh"].as_f64().unwrap()), "{raised:?}");
        assert_eq!(raised["seconds"], 3600);
        assert_eq!(other_way["speed_kmh"], raised["speed_kmh"]);
        assert_eq!(figures(in_a_day, quetta), None);
    }

    #[test]
    fn two_places_at_once_have_no_speed_and_are_flagged() {
        let quetta = visit(30.1841, 67.0014, 10.0, "08:00", "09:00");
        let pishin = visit(30.5811, 66.9961, 10.0, "08:30", "09:30");

        let raised = figures(pishin, quetta).unwrap();

        assert!(raised["speed_kmh"].is_null() && raised["seconds"] == -1800, "{raised:?}");
    }

    #[test]
    fn inaccurate_fixes_get_the_benefit_of_the_doubt() {
        let here = visit(30.1841, 67.0014, 3000.0, "08:00", "09:00");
        let there = visit(30.2200, 67.0014, 3000.0, "09:00", "09:30");

        assert_eq!(figures(there, here), None);
    }
}
