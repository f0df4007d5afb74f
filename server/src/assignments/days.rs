//! Days as people in the province count them: from midnight to midnight, five hours ahead of UTC all year.

use chrono::{Duration, NaiveDate, NaiveTime};

use crate::db::At;

const AHEAD: Duration = Duration::hours(5);

/// The first instant of a day.
pub(super) fn start_of(day: NaiveDate) -> At {
    At::from(day.and_time(NaiveTime::MIN).and_utc() - AHEAD)
}

/// The last second of a day.
pub(super) fn end_of(day: NaiveDate) -> At {
    At::from(start_of(day).utc() + Duration::days(1) - Duration::seconds(1))
}

/// The day an instant falls on.
pub(super) fn day_of(at: At) -> NaiveDate {
    (at.utc() + AHEAD).date_naive()
}

/// The day so many days after another. Days beyond the calendar are its last one.
pub(super) fn after(day: NaiveDate, days: i64) -> NaiveDate {
    Duration::try_days(days).and_then(|days| day.checked_add_signed(days)).unwrap_or(NaiveDate::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_and_ends_by_the_clock_on_the_wall() {
        let day: NaiveDate = "2026-11-20".parse().unwrap();

        assert_eq!(start_of(day).to_string(), "2026-11-19T19:00:00Z");
        assert_eq!(end_of(day).to_string(), "2026-11-20T18:59:59Z");
        assert_eq!(day_of(start_of(day)), day);
        assert_eq!(day_of(end_of(day)), day);
        assert_eq!(after(day, 20).to_string(), "2026-12-10");
    }
}
