//! Days off as data (`form-definitions/parameters/calendar.json`): weekends and public holidays, each with its source and
//! how sure it is. Deadlines run on days off too; working days are counted only where a family of the referral matrix
//! says so.

use chrono::{DateTime, Datelike, Days, FixedOffset, NaiveDate, NaiveTime, Utc, Weekday};
use form_engine::Texts;
use serde::Deserialize;

use crate::error::{Error, Result};

/// Pakistan's time: five hours ahead, no summer time.
const PAKISTAN_SECONDS: i32 = 5 * 3600;
/// How far ahead a working day is looked for; a calendar without any is a mistake of its author.
const FURTHEST: usize = 4000;

/// The days off.
#[derive(Debug, Deserialize)]
pub(super) struct Calendar {
    weekends: Vec<Weekend>,
    holidays: Vec<Holiday>,
}

#[derive(Debug, Deserialize)]
struct Weekend {
    days: Vec<String>,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
}

#[derive(Debug, Deserialize)]
struct Holiday {
    title: Texts,
    /// `02-05`, every year from `valid_from`.
    each_year: Option<String>,
    valid_from: Option<NaiveDate>,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
}

impl Calendar {
    /// The calendar that comes with the binary.
    pub(super) fn builtin() -> Result<Calendar> {
        Calendar::read(include_str!("../../../form-definitions/parameters/calendar.json"))
    }

    fn read(text: &str) -> Result<Calendar> {
        let calendar: Calendar = serde_json::from_str(text).map_err(|cause| refused(&cause.to_string()))?;
        for weekend in &calendar.weekends {
            if let Some(word) = weekend.days.iter().find(|day| day.parse::<Weekday>().is_err()) {
                return Err(refused(&format!("{word:?} is no day of the week")));
            }
        }
        match calendar.holidays.iter().find(|holiday| !holiday.is_sound()) {
            Some(holiday) => Err(refused(&format!("the days of {:?} cannot be read", holiday.title))),
            None => Ok(calendar),
        }
    }

    /// What is celebrated on a day, or that it is a weekend; none: people work.
    pub(super) fn day_off(&self, day: NaiveDate) -> Option<Texts> {
        let holiday = self.holidays.iter().find(|holiday| holiday.is_on(day));
        let weekend = || self.weekends.iter().any(|weekend| weekend.has(day));
        let named = || Texts::from([("en".into(), "weekend".into()), ("ur".into(), "ہفتہ وار تعطیل".into())]);
        holiday.map(|holiday| holiday.title.clone()).or_else(|| weekend().then(named))
    }

    /// The `count`-th working day after `day`; `day` itself, or the next working one, where `count` is 0.
    pub(super) fn add_working_days(&self, day: NaiveDate, count: u32) -> Option<NaiveDate> {
        let from = if count == 0 { 0 } else { 1 };
        let days = (from..FURTHEST as u64).filter_map(|n| day.checked_add_days(Days::new(n)));
        days.filter(|day| self.day_off(*day).is_none()).nth(count.saturating_sub(1) as usize)
    }
}

impl Weekend {
    fn has(&self, day: NaiveDate) -> bool {
        let in_force = self.valid_from <= day && self.valid_to.is_none_or(|end| day < end);
        in_force && self.days.iter().any(|name| name.parse() == Ok(day.weekday()))
    }
}

impl Holiday {
    fn is_sound(&self) -> bool {
        match (&self.each_year, self.from, self.to) {
            (Some(day), None, None) => month_and_day(day).is_some(),
            (None, Some(from), Some(to)) => from <= to,
            _ => false,
        }
    }

    fn is_on(&self, day: NaiveDate) -> bool {
        let yearly = self.each_year.as_deref().and_then(month_and_day) == Some((day.month(), day.day()))
            && self.valid_from.is_none_or(|from| from <= day);
        let once = self.from.is_some_and(|from| from <= day) && self.to.is_some_and(|to| day <= to);
        yearly || once
    }
}

fn month_and_day(text: &str) -> Option<(u32, u32)> {
    // Read in a leap year, so that 29 February may be named.
    let day: NaiveDate = format!("2024-{text}").parse().ok()?;
    Some((day.month(), day.day()))
}

fn refused(why: &str) -> Error {
    Error::invalid("calendar", format!("calendar.json: {why}; correct the file"))
}

/// The day an instant falls on in Pakistan.
pub(super) fn local_day(at: DateTime<Utc>) -> NaiveDate {
    FixedOffset::east_opt(PAKISTAN_SECONDS)
        .map_or(at.date_naive(), |zone| at.with_timezone(&zone).date_naive())
}

/// The last second of a day in Pakistan.
pub(super) fn end_of_day(day: NaiveDate) -> DateTime<Utc> {
    let end = day.and_time(NaiveTime::from_hms_opt(23, 59, 59).unwrap_or(NaiveTime::MIN));
    end.and_utc() - chrono::Duration::seconds(i64::from(PAKISTAN_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn working_days_pass_over_weekends_and_holidays() {
        let calendar = Calendar::builtin().unwrap();

        // 2026-11-19 is a Thursday; the weekend is Friday to Sunday.
        assert_eq!(calendar.add_working_days(day("2026-11-19"), 1), Some(day("2026-11-23")));
        assert_eq!(calendar.add_working_days(day("2026-11-19"), 5), Some(day("2026-11-30")));
        assert_eq!(calendar.add_working_days(day("2026-11-20"), 0), Some(day("2026-11-23")));
        // The fourteenth of August 2028 is a Monday, and a holiday.
        assert_eq!(calendar.add_working_days(day("2028-08-10"), 1), Some(day("2028-08-15")));
        assert_eq!(calendar.day_off(day("2027-03-11")).unwrap()["en"], "Eid-ul-Fitr");
        assert_eq!(calendar.day_off(day("2026-11-24")), None);
    }

    #[test]
    fn a_calendar_that_cannot_be_read_is_refused_by_name() {
        let wrong = |weekends: &str, holidays: &str| {
            format!(r#"{{"pack":"c","title":{{}},"note":"","weekends":{weekends},"holidays":{holidays}}}"#)
        };
        let sunday = r#"[{"days":["caturday"],"valid_from":"2011-01-01","valid_to":null,"source":"","certainty":"L"}]"#;
        let feast = r#"[{"title":{"en":"Feast"},"each_year":"02-30","source":"","certainty":"L"}]"#;

        assert!(Calendar::read(&wrong(sunday, "[]")).unwrap_err().detail.contains("caturday"));
        assert!(Calendar::read(&wrong("[]", feast)).unwrap_err().detail.contains("Feast"));
    }

    #[test]
    fn a_calendar_of_days_off_alone_has_no_working_day() {
        let all = r#"[{"days":["mon","tue","wed","thu","fri","sat","sun"],"valid_from":"2011-01-01","valid_to":null,"source":"","certainty":"L"}]"#;
        let text = format!(r#"{{"pack":"c","title":{{}},"note":"","weekends":{all},"holidays":[]}}"#);

        assert_eq!(Calendar::read(&text).unwrap().add_working_days(day("2026-11-19"), 3), None);
    }

    #[test]
    fn a_day_ends_at_midnight_in_pakistan() {
        let late: DateTime<Utc> = "2026-11-20T20:00:00Z".parse().unwrap();

        assert_eq!(local_day(late), day("2026-11-21"));
        assert_eq!(end_of_day(day("2026-11-20")).to_rfc3339(), "2026-11-20T18:59:59+00:00");
    }
}
