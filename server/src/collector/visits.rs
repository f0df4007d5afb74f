//! Visits made up from a seed: the published sample cases of each questionnaire, set in another place, on another day, with
//! other figures and now and then a mistake. What comes of them nobody knows beforehand; phone and server must agree on it.

use std::sync::LazyLock;

use chrono::{DateTime, Duration, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _};
use serde_json::{Map, Value, json};

use super::chance::Chance;
use super::model::{Picture, Visit};
use super::pictures::{Sizes, picture};

macro_rules! samples {
    ($form:literal: $($case:literal),+ $(,)?) => {
        &[$(($form, include_str!(concat!("../../../form-definitions/", $form, "/cases/", $case, ".json")))),+]
    };
}

const SAMPLES: &[&[(&str, &str)]] = &[
    samples!("child-labour-inspection":
        "b1-clean-shop", "b2-coal-mine", "b3-disputed-age", "osh-04-child-hurt", "wag-02-under-the-minimum-wage",
        "trf-01-being-moved-now", "rec-04-register-does-not-match", "negative-1-departure-before-arrival"),
    samples!("shelter-audit":
        "c1-clean-home", "c2-first-audit-orphanage", "c6-x1-roster-short", "c8-x2-water-never-tested",
        "sh-fire-exit-locked", "sh-over-capacity", "sh-vet-one-unvetted"),
    samples!("child-protection-toolkit":
        "a1-birth-registration-quetta", "all-modules", "t1-x1-rate-below-2012", "s13-no-due-date"),
];

static CASES: LazyLock<Vec<Case>> =
    LazyLock::new(|| SAMPLES.iter().flat_map(|samples| samples.iter()).filter_map(Case::read).collect());

struct Case {
    form: &'static str,
    started_at: DateTime<FixedOffset>,
    finished_at: DateTime<FixedOffset>,
    answers: Value,
    non_answers: Map<String, Value>,
}

impl Case {
    fn read((form, text): &(&'static str, &str)) -> Option<Case> {
        let case: Value = serde_json::from_str(text).ok()?;
        let at = |name: &str| case.pointer(&format!("/context/{name}"))?.as_str()?.parse().ok();
        let finished_at: DateTime<FixedOffset> = at("finished_at")?;
        Some(Case {
            form,
            started_at: at("started_at").unwrap_or(finished_at - Duration::hours(2)),
            finished_at,
            answers: case.get("answers")?.clone(),
            non_answers: case.get("non_answers").and_then(Value::as_object).cloned().unwrap_or_default(),
        })
    }
}

/// A place visits are made in.
#[derive(Clone, Debug)]
pub struct Place {
    /// Codes of the division, the district and the tehsil.
    pub codes: [String; 3],
    /// A point in it, latitude first; none: the sample's own point is kept.
    pub point: Option<(f64, f64)>,
}

/// Who makes a visit, and where.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The form filled in.
    pub form: String,
    /// Its release.
    pub version: u32,
    /// The person's code.
    pub code: String,
    /// Where; none: where the samples are.
    pub place: Option<Place>,
    /// The share of visits somebody made a mistake in.
    pub mistakes: f64,
}

/// A visit made up: what the form is opened with, what is answered then, and the pictures taken.
pub struct MadeUp {
    /// The form as it is opened.
    pub visit: Visit,
    /// Answered one by one before it is closed.
    pub changes: Vec<(String, Value)>,
    /// The files its answers name.
    pub pictures: Vec<Picture>,
}

/// Makes a visit up that ends at `finished_at`. None: there are no samples of this form.
pub fn make_up(
    assignment: &Assignment,
    serial: u64,
    finished_at: DateTime<FixedOffset>,
    sizes: &Sizes,
    chance: &mut Chance,
) -> Option<MadeUp> {
    let of_form: Vec<&Case> = CASES.iter().filter(|case| case.form == assignment.form).collect();
    let case = chance.pick(&of_form)?;
    let answers = set_elsewhere(case, assignment, serial, finished_at);
    let changes = changes(&answers, assignment, chance);
    let pictures = media_names(&answers).iter().map(|name| picture(name, sizes, chance)).collect();
    let location = location(&answers, finished_at, chance);
    let visit = Visit {
        form: assignment.form.clone(),
        version: assignment.version,
        facility: None,
        started_at: finished_at - (case.finished_at - case.started_at),
        finished_at,
        location,
        answers,
        non_answers: case.non_answers.clone(),
    };
    Some(MadeUp { visit, changes, pictures })
}

/// The case's answers under another number, on another day, in another place, by another person.
fn set_elsewhere(case: &Case, to: &Assignment, serial: u64, finished_at: DateTime<FixedOffset>) -> Value {
    let mut answers = case.answers.clone();
    let days = (finished_at.date_naive() - case.finished_at.date_naive()).num_days();
    let mut renamed = vec![];
    let mut rename = |names: &[&str], new: &dyn Fn(&str) -> String| {
        for name in names {
            if let Some(old) = find(&case.answers, name).and_then(Value::as_str) {
                renamed.push((old.to_owned(), new(old)));
            }
        }
    };
    rename(&["inspection_no", "audit_no"], &|old| numbered(old, serial));
    rename(&["inspector_id", "auditor_id", "cv_enumerator"], &|_| to.code.clone());
    if let Some(place) = &to.place {
        for (at, names) in [["division", "cv_division"], ["district", "cv_district"], ["tehsil", "cv_tehsil"]]
            .iter()
            .enumerate()
        {
            rename(names, &|_| place.codes[at].clone());
        }
    }
    texts(&mut answers, &|text| changed(text, &renamed, case.finished_at.date_naive(), days));
    if let Some((lat, lon)) = to.place.as_ref().and_then(|place| place.point) {
        for name in ["gps", "cv_gps"] {
            if let Some(point) = find_mut(&mut answers, name) {
                point["lat"] = json!((lat * 1e6).round() / 1e6);
                point["lon"] = json!((lon * 1e6).round() / 1e6);
            }
        }
    }
    answers
}

/// `CLI-QTA1-2026-0101` with other last digits.
fn numbered(old: &str, serial: u64) -> String {
    let stem = old.trim_end_matches(|c: char| c.is_ascii_digit());
    format!("{stem}{:04}", serial % 10_000)
}

/// A text with what was renamed in it, and, if it is a date near the visit, moved with it.
fn changed(text: &str, renamed: &[(String, String)], visit: NaiveDate, days: i64) -> String {
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d")
        && (date - visit).num_days().abs() <= 60
    {
        return (date + Duration::days(days)).to_string();
    }
    match renamed.iter().find(|(old, _)| text == old || text.starts_with(&format!("{old}-"))) {
        Some((old, new)) => text.replacen(old.as_str(), new, 1),
        None => text.to_owned(),
    }
}

fn texts(value: &mut Value, change: &dyn Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = change(text),
        Value::Array(rows) => rows.iter_mut().for_each(|row| texts(row, change)),
        Value::Object(members) => members.values_mut().for_each(|member| texts(member, change)),
        _ => {}
    }
}

/// What the inspector answers otherwise than the sample: other head counts, and now and then something is forgotten.
fn changes(answers: &Value, assignment: &Assignment, chance: &mut Chance) -> Vec<(String, Value)> {
    let mut changes = Vec::new();
    for (question, most) in
        [("wf_m_adult", 40), ("wf_f_adult", 25), ("br_uc_active", 60), ("co_inspectors", 5)]
    {
        if find(answers, question).is_some_and(Value::is_u64) {
            changes.push((question.to_owned(), json!(chance.between(0, most))));
        }
    }
    if chance.happens(assignment.mistakes) {
        let questions = questions(answers);
        if let Some(forgotten) = chance.pick(&questions) {
            changes.push((forgotten.clone(), Value::Null));
        }
    }
    if chance.happens(assignment.mistakes / 2.0) && find(answers, "departure_time").is_some() {
        changes.push(("departure_time".to_owned(), json!("00:10")));
    }
    changes
}

/// The questions answered outside rows.
fn questions(answers: &Value) -> Vec<String> {
    let sections = answers.as_object().into_iter().flat_map(Map::values).filter_map(Value::as_object);
    sections.flat_map(Map::keys).cloned().collect()
}

fn find<'v>(answers: &'v Value, question: &str) -> Option<&'v Value> {
    answers.as_object()?.values().find_map(|section| section.get(question))
}

fn find_mut<'v>(answers: &'v mut Value, question: &str) -> Option<&'v mut Value> {
    answers.as_object_mut()?.values_mut().find_map(|section| section.get_mut(question))
}

fn location(answers: &Value, finished_at: DateTime<FixedOffset>, chance: &mut Chance) -> Option<Value> {
    let point = ["gps", "cv_gps"].into_iter().find_map(|name| find(answers, name))?;
    Some(json!({
        "lat": point.get("lat")?, "lon": point.get("lon")?, "accuracy_m": point.get("accuracy_m"),
        "altitude_m": null, "fixed_at": (finished_at - Duration::minutes(20)).to_rfc3339(), "provider": "gps",
        "mocked": chance.happens(0.01),
    }))
}

/// The names behind `{media: …}` anywhere in the answers, each once.
fn media_names(answers: &Value) -> Vec<String> {
    fn walk(value: &Value, names: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                if let Some(name) = members.get("media").and_then(Value::as_str)
                    && !names.iter().any(|known| known == name)
                {
                    names.push(name.to_owned());
                }
                members.values().for_each(|member| walk(member, names));
            }
            Value::Array(rows) => rows.iter().for_each(|row| walk(row, names)),
            _ => {}
        }
    }
    let mut names = Vec::new();
    walk(answers, &mut names);
    names
}

/// An hour of a working day in Balochistan's own time, but not after `latest`.
pub fn hour_of(day: NaiveDate, latest: DateTime<FixedOffset>, chance: &mut Chance) -> DateTime<FixedOffset> {
    let time = NaiveTime::from_num_seconds_from_midnight_opt(chance.between(10 * 3600, 17 * 3600) as u32, 0);
    let local = NaiveDateTime::new(day, time.unwrap_or_default());
    let at = latest.offset().from_local_datetime(&local).single().unwrap_or(latest);
    // Drawn in any case: what comes after must not depend on the time of day.
    let before = Duration::minutes(chance.between(1, 30) as i64);
    if at <= latest { at } else { latest - before }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assignment(form: &str) -> Assignment {
        let codes = ["PK2-DIV-MAKRAN", "PK211", "PK21101"].map(str::to_owned);
        let place = Place { codes, point: Some((26.0, 63.05)) };
        Assignment {
            form: form.into(),
            version: 1,
            code: "INS-007".into(),
            place: Some(place),
            mistakes: 0.3,
        }
    }

    fn at(text: &str) -> DateTime<FixedOffset> {
        text.parse().unwrap()
    }

    #[test]
    fn every_sample_can_be_read() {
        assert_eq!(CASES.len(), SAMPLES.iter().map(|samples| samples.len()).sum::<usize>());
    }

    #[test]
    fn a_visit_moves_with_its_number_its_day_and_its_place() {
        let assignment = assignment("child-labour-inspection");
        let case = CASES.iter().find(|case| find(&case.answers, "children").is_some()).unwrap();

        let answers = set_elsewhere(case, &assignment, 12_345, at("2026-12-20T12:00:00+05:00"));

        let text = answers.to_string();
        assert!(find(&answers, "inspection_no").unwrap().as_str().unwrap().ends_with("-2345"));
        assert!(text.contains("-2345-C1"), "the children's codes hang on the number");
        assert_eq!(find(&answers, "district"), Some(&json!("PK211")));
        assert_eq!(find(&answers, "gps").unwrap()["lat"], 26.0);
        assert_eq!(find(&answers, "inspector_id"), Some(&json!("INS-007")));
        assert!(text.contains("2026-12-1"), "the day of the visit moved along");
    }

    #[test]
    fn the_same_seed_makes_the_same_visits() {
        for form in ["child-labour-inspection", "shelter-audit", "child-protection-toolkit"] {
            let make = || {
                let end = at("2026-11-20T12:00:00+05:00");
                make_up(&assignment(form), 1, end, &Sizes::default(), &mut Chance::seeded(5)).unwrap()
            };
            let (one, same) = (make(), make());

            assert_eq!((&one.visit, &one.changes), (&same.visit, &same.changes));
            assert!(one.pictures.iter().zip(&same.pictures).all(|(one, same)| one.bytes == same.bytes));
        }
    }

    #[test]
    fn nothing_ends_after_now() {
        let now = at("2026-11-20T09:00:00+05:00");
        let mut chance = Chance::seeded(1);

        for _ in 0..100 {
            assert!(hour_of(now.date_naive(), now, &mut chance) <= now);
        }
    }
}
