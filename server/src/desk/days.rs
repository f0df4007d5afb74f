//! Days as people in the province count them: from midnight to midnight, five hours ahead of UTC all year.

use chrono::{DateTime, Duration, NaiveDate, NaiveTime};

use crate::db::At;
use crate::error::{Error, Result};

const AHEAD: Duration = Duration::hours(5);

/// The first instant of a day.
pub(super) fn start_of(day: NaiveDate) -> At {
    At::from(day.and_time(NaiveTime::MIN).and_utc() - AHEAD)
}

/// The day an instant falls on.
pub(super) fn day_of(at: At) -> NaiveDate {
    (at.utc() + AHEAD).date_naive()
}

/// So many days after an instant.
pub(super) fn later(at: At, days: u32) -> At {
    At::from_micros(at.micros().saturating_add(i64::from(days) * 86_400_000_000))
}

/// A day (its first instant) or an instant, as people write it.
pub(super) fn read(member: &'static str, text: &str) -> Result<At> {
    let year = |day: &NaiveDate| (1970..9999).contains(&chrono::Datelike::year(day));
    let day = || text.parse::<NaiveDate>().ok().filter(year).map(start_of);
    DateTime::parse_from_rfc3339(text).map(At::from).ok().or_else(day).ok_or_else(|| {
        Error::invalid(
            "bad_instant",
            format!("`{member}` is neither a date (2026-12-01) nor an instant (RFC 3339): {text:?}"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_by_the_clock_on_the_wall() {
        let day: NaiveDate = "2026-11-20".parse().unwrap();

        assert_eq!(start_of(day).to_string(), "2026-11-19T19:00:00Z");
        assert_eq!(day_of(start_of(day)), day);
        assert_eq!(later(start_of(day), 2), start_of("2026-11-22".parse().unwrap()));
        assert_eq!(read("x", "2026-11-20").unwrap(), start_of(day));
        assert_eq!(read("x", "2026-11-20T00:00:00+05:00").unwrap(), start_of(day));
        assert_eq!(read("x", "soon").unwrap_err().code, "bad_instant");
        assert_eq!(read("x", "+262142-01-01").unwrap_err().code, "bad_instant");
    }
}
