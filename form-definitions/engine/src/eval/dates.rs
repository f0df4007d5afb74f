//! Dates, times of day and moments: reading them and counting between them. No clock is asked.

use chrono::{DateTime, Datelike, Duration, FixedOffset, NaiveDate, Timelike};

/// Reads `YYYY-MM-DD`, and nothing looser.
pub(crate) fn parse_date(text: &str) -> Option<NaiveDate> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10 && bytes[4] == b'-' && bytes[7] == b'-';
    let digits = |range: std::ops::Range<usize>| {
        let part = bytes.get(range)?;
        part.iter()
            .try_fold(0_u32, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
    };
    if !shaped {
        return None;
    }
    NaiveDate::from_ymd_opt(i32::try_from(digits(0..4)?).ok()?, digits(5..7)?, digits(8..10)?)
}

/// Reads `HH:MM` as minutes after midnight.
pub(crate) fn parse_time(text: &str) -> Option<u16> {
    match text.as_bytes() {
        [a @ b'0'..=b'2', b @ b'0'..=b'9', b':', c @ b'0'..=b'5', d @ b'0'..=b'9'] => {
            let hours = u16::from(a - b'0') * 10 + u16::from(b - b'0');
            let minutes = u16::from(c - b'0') * 10 + u16::from(d - b'0');
            (hours < 24).then_some(hours * 60 + minutes)
        }
        _ => None,
    }
}

/// Reads an RFC 3339 moment, keeping the sender's offset.
pub(crate) fn parse_instant(text: &str) -> Option<DateTime<FixedOffset>> {
    (text.len() <= 40).then(|| DateTime::parse_from_rfc3339(text).ok()).flatten()
}

/// Writes minutes after midnight as `HH:MM`.
pub(crate) fn format_time(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// The local time of day of a moment.
pub(crate) fn time_of(instant: DateTime<FixedOffset>) -> u16 {
    let time = instant.time();
    (time.hour() * 60 + time.minute()) as u16
}

/// Whole days from one date to another; negative when the second is earlier.
pub(crate) fn days_between(from: NaiveDate, to: NaiveDate) -> f64 {
    to.signed_duration_since(from).num_days() as f64
}

/// Complete months from one date to another: 31 March to 30 April is none.
pub(crate) fn months_between(from: NaiveDate, to: NaiveDate) -> f64 {
    if to < from {
        return -months_between(to, from);
    }
    let months = (to.year() - from.year()) * 12 + to.month() as i32 - from.month() as i32;
    f64::from(months - i32::from(to.day() < from.day()))
}

/// Complete years from one date to another.
pub(crate) fn years_between(from: NaiveDate, to: NaiveDate) -> f64 {
    (months_between(from, to) / 12.0).trunc()
}

/// Hours from one time of day to the next: 20:00 to 06:00 is ten, across midnight.
pub(crate) fn hours_between(from: u16, to: u16) -> f64 {
    const DAY: u16 = 24 * 60;
    f64::from((to + DAY - from) % DAY) / 60.0
}

/// Hours from one moment to another.
pub(crate) fn hours_between_instants(from: DateTime<FixedOffset>, to: DateTime<FixedOffset>) -> f64 {
    to.signed_duration_since(from).num_milliseconds() as f64 / 3_600_000.0
}

/// A date some whole days later, if the calendar goes that far.
pub(crate) fn add_days(date: NaiveDate, days: f64) -> Option<NaiveDate> {
    let whole = days.trunc();
    (whole.abs() < 4_000_000.0)
        .then(|| date.checked_add_signed(Duration::days(whole as i64)))
        .flatten()
        .filter(|date| (0..=9999).contains(&date.year()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        parse_date(text).unwrap()
    }

    #[test]
    fn a_night_shift_crosses_midnight() {
        assert_eq!(hours_between(parse_time("20:00").unwrap(), parse_time("06:00").unwrap()), 10.0);
        assert_eq!(hours_between(parse_time("06:30").unwrap(), parse_time("14:00").unwrap()), 7.5);
        assert_eq!(hours_between(0, 0), 0.0);
    }

    #[test]
    fn days_to_an_expired_registration_are_negative() {
        assert_eq!(days_between(date("2026-11-11"), date("2026-03-01")), -255.0);
    }

    #[test]
    fn only_complete_months_and_years_count() {
        assert_eq!(months_between(date("2025-03-31"), date("2025-04-30")), 0.0);
        assert_eq!(months_between(date("2025-03-30"), date("2025-04-30")), 1.0);
        assert_eq!(months_between(date("2025-04-30"), date("2025-03-30")), -1.0);
        assert_eq!(years_between(date("2012-11-21"), date("2026-11-20")), 13.0);
        assert_eq!(years_between(date("2012-11-20"), date("2026-11-20")), 14.0);
    }

    #[test]
    fn only_exact_dates_and_times_are_read() {
        for wrong in ["2026-02-30", "2026-2-3", "20261120", "2026-11-20T00:00", "+026-11-20", ""] {
            assert_eq!(parse_date(wrong), None, "{wrong}");
        }
        for wrong in ["24:00", "7:30", "07:60", "07:30:00", "۰۷:۳۰", ""] {
            assert_eq!(parse_time(wrong), None, "{wrong}");
        }
        assert_eq!(format_time(parse_time("07:05").unwrap()), "07:05");
    }

    #[test]
    fn days_beyond_the_calendar_lead_nowhere() {
        assert_eq!(add_days(date("2026-11-20"), 30.0), Some(date("2026-12-20")));
        assert_eq!(add_days(date("2026-11-20"), 1e18), None);
        assert_eq!(add_days(date("9999-12-31"), 1.0), None);
    }
}
