//! Judging: answers in, everything the server has to say of them out. No database and no clock here; the instant of
//! reception and what was looked up are handed in.

use chrono::{DateTime, SecondsFormat, Utc};
use form_engine::{Areas, Context, Outcome, Point, User, Visit};
use serde_json::{Map, Value};

use super::corrections;
use super::envelope::Envelope;
use super::flags::{self, Circumstances};
use super::model::{Correction, Judgement, Verdict};
use super::surroundings::Surroundings;
use crate::accounts::Actor;
use crate::config::FlagConfig;
use crate::forms::Release;
use crate::places::{Fix, PlaceTag, Places};

/// Judges an envelope filled with `release`.
pub(super) fn judge(
    envelope: &Envelope,
    release: &Release,
    filer: &Actor,
    places: &Places,
    thresholds: &FlagConfig,
    received_at: DateTime<Utc>,
    around: &Surroundings,
) -> Judgement {
    let place = locate(envelope, places);
    let user = User { code: filer.code.clone(), role: filer.role.to_string(), areas: filer.areas.clone() };
    let context = context(envelope, user, &place, places, around);
    let outcome = release.compiled.evaluate(&envelope.answers, envelope.non_answers.as_ref(), &context);
    let correction = correction(envelope, release, &context, &outcome, around);
    let asked_at_review = match release.asks_reviewer {
        true => {
            let non_answers = envelope.non_answers.as_ref();
            release.compiled.review(&envelope.answers, non_answers, &Map::new(), &context).asked
        }
        false => Vec::new(),
    };
    let mut flags = flags::raise(
        thresholds,
        &Circumstances {
            envelope,
            place: &place,
            filer_areas: &filer.areas,
            answered_district: release
                .place_answer(&outcome.answers, "district")
                .filter(|code| is_a_place(places, code)),
            answer_count: count_answers(&outcome.answers),
            referred_media: &outcome.media,
            received_at,
            version: envelope.version,
            out_of_use: around.out_of_use.as_ref(),
        },
    );
    flags.extend(around.before.as_ref().and_then(|before| corrections::flags(before, correction.as_ref())));
    Judgement {
        verdict: Verdict::from(outcome.verdict()),
        answers: outcome.answers,
        calculated: outcome.calculated,
        violations: outcome.violations,
        findings: outcome.findings,
        scores: outcome.scores,
        summary: outcome.summary,
        flags,
        place,
        declared: envelope.media.clone(),
        started_at: envelope.started_at.map(|at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        finished_at: envelope.finished_at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        correction,
        asked_at_review,
    }
}

/// What it changes of a revision that was sent back, if it follows one.
fn correction(
    envelope: &Envelope,
    release: &Release,
    context: &Context,
    outcome: &Outcome,
    around: &Surroundings,
) -> Option<Correction> {
    let before = around.before.as_ref()?;
    let was = &before.returned.as_ref()?.judgement.answers;
    // What was not asked then is asked again: which questions were hidden is not stored.
    let was_hidden = release.compiled.evaluate(was, None, context).relevance;
    corrections::correction(before, envelope.correction.as_ref(), &release.outline, outcome, &was_hidden)
}

pub(super) fn locate(envelope: &Envelope, places: &Places) -> PlaceTag {
    let fix = envelope.location.as_ref().map(|location| Fix {
        lat: location.lat,
        lon: location.lon,
        accuracy_m: location.accuracy_m.filter(|accuracy| *accuracy >= 0.0),
    });
    fix.map_or_else(PlaceTag::no_fix, |fix| places.locate(&fix))
}

/// The circumstances the answers are judged in: the law of the visit's own day follows from its end.
pub(super) fn context<'p>(
    envelope: &Envelope,
    user: User,
    place: &PlaceTag,
    places: &'p Places,
    around: &Surroundings,
) -> Context<'p> {
    let visit = Visit {
        started_at: envelope.started_at,
        finished_at: envelope.finished_at,
        location: envelope.location.as_ref().map(|location| Point {
            lat: location.lat,
            lon: location.lon,
            accuracy_m: location.accuracy_m,
            altitude_m: location.altitude_m,
        }),
        district: place.district.as_ref().map(|district| district.code.clone()),
        zone: None,
    };
    let mut context = Context::new(visit, user, places);
    context.area_chain = place.area_chain();
    context.prev = around.prev.clone();
    context.facility = around.facility.clone();
    context
}

impl Areas for Places {
    fn contains(&self, lat: f64, lon: f64, code: &str) -> Option<bool> {
        Places::contains(self, lat, lon, code)
    }
}

/// An answer such as "the whole province" or "another country" is no area a point could be compared with.
fn is_a_place(places: &Places, code: &str) -> bool {
    places.contains(0.0, 0.0, code).is_some()
}

/// Questions answered, rows' included.
fn count_answers(answers: &Value) -> usize {
    match answers {
        Value::Object(map) => map.values().map(count_answers).sum(),
        Value::Array(rows) if rows.iter().any(Value::is_object) => rows.iter().map(count_answers).sum(),
        _ => 1,
    }
}
