//! What the functions of the rule language do with values. `vocabulary/rules.md` says the same in words, with examples.

use super::logic::{equal, order};
use super::value::Val;
use super::{dates, number};
use crate::context::{Areas, Point};
use crate::rules::Function;
use chrono::NaiveDate;
use std::cmp::Ordering;
use std::rc::Rc;

/// Mean radius of the Earth in metres (IUGG).
const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// What functions may ask for besides their arguments.
pub(super) struct Surroundings<'c> {
    pub(super) today: NaiveDate,
    pub(super) areas: &'c dyn Areas,
}

/// Calls a function. A wrong or missing argument is unknown: types were checked before.
pub(super) fn call<'a>(function: Function, args: &[Val<'a>], around: &Surroundings<'_>) -> Val<'a> {
    let unknown = Val::Unknown;
    let first = args.first().unwrap_or(&unknown);
    let second = args.get(1).unwrap_or(&unknown);
    match function {
        Function::Known => Val::Bool(is_answered(first)),
        Function::Coalesce => args.iter().find(|arg| arg.is_known()).cloned().unwrap_or(Val::Unknown),
        Function::Count => Val::Number(count(first)),
        Function::Size => Val::number_or_unknown(size(first)),
        Function::Sum => Val::number_or_unknown(numbers(first).reduce(|sum, number| sum + number)),
        Function::Avg => Val::number_or_unknown(average(first)),
        Function::Min => extreme(first, Ordering::Less),
        Function::Max => extreme(first, Ordering::Greater),
        Function::Unique => unique(first),
        Function::Round => {
            let places = if args.len() > 1 { second.number() } else { Some(0.0) };
            Val::number_or_unknown(
                first.number().zip(places).map(|(value, places)| number::round(value, places)),
            )
        }
        Function::TimeOf => match first {
            Val::Instant(instant) => Val::Time(dates::time_of(*instant)),
            _ => Val::Unknown,
        },
        Function::HoursBetween => Val::number_or_unknown(hours_between(first, second)),
        Function::DaysBetween => between(first, second, dates::days_between),
        Function::MonthsBetween => between(first, second, dates::months_between),
        Function::AgeYears if args.len() > 1 => between(first, second, dates::years_between),
        Function::AgeYears => between(first, &Val::Date(around.today), dates::years_between),
        Function::AddDays => {
            let later =
                first.date().zip(second.number()).and_then(|(date, days)| dates::add_days(date, days));
            later.map_or(Val::Unknown, Val::Date)
        }
        Function::YearOf => {
            Val::number_or_unknown(first.date().map(|date| f64::from(chrono::Datelike::year(&date))))
        }
        Function::DistanceM => Val::number_or_unknown(points(first, second).map(|(a, b)| distance_m(a, b))),
        Function::InArea => Val::truth_or_unknown(in_area(first, second, around.areas)),
        Function::Contains => text_test(first, second, |text, part| text.contains(part)),
        Function::StartsWith => text_test(first, second, |text, part| text.starts_with(part)),
        Function::EndsWith => text_test(first, second, |text, part| text.ends_with(part)),
    }
}

fn is_answered(value: &Val<'_>) -> bool {
    match value {
        Val::Unknown => false,
        Val::Rows(rows) => !rows.is_empty(),
        Val::List(items) => !items.is_empty(),
        _ => true,
    }
}

fn count(value: &Val<'_>) -> f64 {
    match value {
        Val::Rows(rows) => rows.len() as f64,
        Val::List(items) => items.iter().filter(|item| item.is_known()).count() as f64,
        _ => 0.0,
    }
}

fn size(value: &Val<'_>) -> Option<f64> {
    match value {
        Val::Rows(rows) => Some(rows.len() as f64),
        Val::List(items) => Some(items.len() as f64),
        other => other.text().map(|text| text.chars().count() as f64),
    }
}

fn numbers<'v>(list: &'v Val<'_>) -> impl Iterator<Item = f64> + 'v {
    let items: &[Val<'_>] = if let Val::List(items) = list { items } else { &[] };
    items.iter().filter_map(Val::number)
}

fn average(list: &Val<'_>) -> Option<f64> {
    let (sum, count) = numbers(list).fold((0.0, 0.0), |(sum, count), number| (sum + number, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

/// The smallest or largest known element; of nothing, unknown.
fn extreme<'a>(list: &Val<'a>, wanted: Ordering) -> Val<'a> {
    let Val::List(items) = list else { return Val::Unknown };
    let known = items.iter().filter(|item| item.is_known());
    let best = known.reduce(|best, item| if order(item, best) == Some(wanted) { item } else { best });
    best.cloned().unwrap_or(Val::Unknown)
}

/// The known elements, each once, in order of first appearance.
fn unique<'a>(list: &Val<'a>) -> Val<'a> {
    let Val::List(items) = list else { return list.clone() };
    let mut places: Vec<usize> = (0..items.len()).filter(|place| items[*place].is_known()).collect();
    places.sort_by(|a, b| order(&items[*a], &items[*b]).unwrap_or(Ordering::Equal));
    places.dedup_by(|later, first| equal(&items[*later], &items[*first]) == Some(true));
    places.sort_unstable();
    let kept: Rc<[Val<'a>]> = places.into_iter().map(|place| items[place].clone()).collect();
    Val::List(kept)
}

fn hours_between(from: &Val<'_>, to: &Val<'_>) -> Option<f64> {
    match (from, to) {
        (Val::Time(from), Val::Time(to)) => Some(dates::hours_between(*from, *to)),
        (Val::Instant(from), Val::Instant(to)) => Some(dates::hours_between_instants(*from, *to)),
        _ => None,
    }
}

fn between<'a>(from: &Val<'a>, to: &Val<'a>, count: fn(NaiveDate, NaiveDate) -> f64) -> Val<'a> {
    Val::number_or_unknown(from.date().zip(to.date()).map(|(from, to)| count(from, to)))
}

fn text_test<'a>(text: &Val<'a>, part: &Val<'a>, test: fn(&str, &str) -> bool) -> Val<'a> {
    Val::truth_or_unknown(text.text().zip(part.text()).map(|(text, part)| test(text, part)))
}

fn point<'v>(value: &'v Val<'_>) -> Option<&'v Point> {
    match value {
        Val::Point(point) if point.is_on_earth() => Some(point),
        _ => None,
    }
}

fn points<'v>(a: &'v Val<'_>, b: &'v Val<'_>) -> Option<(&'v Point, &'v Point)> {
    point(a).zip(point(b))
}

fn in_area(at: &Val<'_>, code: &Val<'_>, areas: &dyn Areas) -> Option<bool> {
    let at = point(at)?;
    areas.contains(at.lat, at.lon, code.text()?)
}

/// Great-circle distance (haversine), rounded to millimetres so that machines agree.
fn distance_m(a: &Point, b: &Point) -> f64 {
    let (lat_a, lat_b) = (a.lat.to_radians(), b.lat.to_radians());
    let (dlat, dlon) = ((lat_b - lat_a) / 2.0, (b.lon - a.lon).to_radians() / 2.0);
    let chord = dlat.sin().powi(2) + lat_a.cos() * lat_b.cos() * dlon.sin().powi(2);
    let metres = 2.0 * EARTH_RADIUS_M * chord.sqrt().min(1.0).asin();
    (metres * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::NoAreas;

    fn on(function: Function, args: &[Val<'static>]) -> Val<'static> {
        let around = Surroundings { today: dates::parse_date("2026-11-20").unwrap(), areas: &NoAreas };
        call(function, args, &around)
    }

    fn list(items: &[Val<'static>]) -> Val<'static> {
        Val::List(items.into())
    }

    #[test]
    fn the_lowest_age_given_counts_and_missing_ones_are_skipped() {
        let ages = list(&[Val::Unknown, Val::Number(12.0), Val::Number(16.0)]);

        assert_eq!(on(Function::Min, std::slice::from_ref(&ages)).number(), Some(12.0));
        assert_eq!(on(Function::Max, std::slice::from_ref(&ages)).number(), Some(16.0));
        assert_eq!(on(Function::Avg, &[ages]).number(), Some(14.0));
        assert!(!on(Function::Min, &[list(&[Val::Unknown])]).is_known());
        assert!(!on(Function::Sum, &[list(&[])]).is_known());
    }

    #[test]
    fn each_service_counts_once() {
        let services = list(&[Val::Text("b"), Val::Text("a"), Val::Unknown, Val::Text("b")]);

        let Val::List(kept) = on(Function::Unique, &[services]) else { panic!("a list") };

        assert_eq!(kept.iter().filter_map(Val::text).collect::<Vec<_>>(), ["b", "a"]);
    }

    #[test]
    fn counting_the_unanswered_gives_none_of_it() {
        assert_eq!(on(Function::Count, &[Val::Unknown]).number(), Some(0.0));
        assert!(!on(Function::Size, &[Val::Unknown]).is_known());
        assert_eq!(on(Function::Size, &[Val::Text("نگران")]).number(), Some(5.0));
    }

    #[test]
    fn a_point_off_the_globe_is_nowhere() {
        let point = |lat, lon| Val::Point(Rc::new(Point { lat, lon, accuracy_m: None, altitude_m: None }));

        let quetta_to_chaman = on(Function::DistanceM, &[point(30.1841, 67.0014), point(30.9177, 66.4526)]);

        assert!((quetta_to_chaman.number().unwrap() - 97_000.0).abs() < 1_000.0);
        assert!(!on(Function::DistanceM, &[point(95.0, 67.0), point(30.0, 67.0)]).is_known());
    }
}
