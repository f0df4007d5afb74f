//! Deadlines: when a finding is due, by when somebody must own it, and when the clock next has to look at it. Pure: the
//! instants are handed in. A deadline counts from the end of the visit by the phone's clock, however late it arrives; that of a
//! finding which only its reviewer's answer brought to light, from that answer: before it nobody could have acted.

use chrono::{DateTime, Duration, Utc};
use form_engine::Finding;

use super::calendar::{self, Calendar};
use super::matrix::{Count, Matrix};
use super::model::{Case, Rule, State, no_deadline};
use crate::db::At;

/// When a finding is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) at: At,
    /// Deadline 0: somebody must answer within so many hours.
    pub(super) answer_within_hours: Option<i64>,
}

/// When `finding` of a visit that ended at `visited` is due. `from`: when the time given begins to run, the visit's end or later.
pub(super) fn due(finding: &Finding, visited: At, from: At, matrix: &Matrix, calendar: &Calendar) -> Due {
    let said = finding.due_at.as_deref().and_then(|at| at.parse::<DateTime<Utc>>().ok());
    let Some(said) = said else { return Due { at: no_deadline(), answer_within_hours: None } };
    // The rules count from the visit; what they give is a length of time.
    let given = said - visited.utc();
    let from = from.utc();
    if given <= Duration::zero() {
        return Due {
            at: At::from(same_day(from, matrix.same_day_hours())),
            answer_within_hours: Some(matrix.answer_within_hours()),
        };
    }
    let until = from + given;
    let at = match matrix.count(&finding.code) {
        Count::Days => until,
        Count::WorkingDays => in_working_days(from, until, calendar).unwrap_or(until),
    };
    Due { at: At::from(at), answer_within_hours: None }
}

/// The end of that day in Pakistan, and not less than `hours` from then.
fn same_day(from: DateTime<Utc>, hours: i64) -> DateTime<Utc> {
    calendar::end_of_day(calendar::local_day(from)).max(from + Duration::hours(hours))
}

/// The same number of days, counted on working days, to the end of the last.
fn in_working_days(from: DateTime<Utc>, until: DateTime<Utc>, calendar: &Calendar) -> Option<DateTime<Utc>> {
    let days = u32::try_from((until - from).num_days()).ok()?;
    calendar.add_working_days(calendar::local_day(from), days).map(calendar::end_of_day)
}

/// By when somebody must own the finding: half its time, or the hours of the same day. One that arrives after half its
/// time has half of what is left.
pub(super) fn answer_by(case: &Case, rule: &Rule) -> At {
    let stood_still = Duration::microseconds(case.paused_for);
    let begins = rule.answered_at.unwrap_or(case.visited_at);
    let (due, from) = (case.due_at.utc(), begins.utc() + stood_still);
    let half = match rule.answer_within_hours {
        Some(hours) => from + Duration::hours(hours),
        None => from + (due - from) / 2,
    };
    let arrived = case.opened_at.utc() + stood_still;
    At::from(match half > arrived {
        true => half.min(due),
        false if due > arrived => arrived + (due - arrived) / 2,
        false => due,
    })
}

/// When the clock next has to look at a case that does not stand still.
pub(super) fn next_alarm(case: &Case, rule: &Rule) -> Option<At> {
    let waits_for_an_owner = case.state == State::Open && case.level == 0;
    match (case.state.runs(), case.breached_at) {
        (true, None) if waits_for_an_owner => Some(answer_by(case, rule)),
        (true, None) => Some(case.due_at),
        _ => None,
    }
    .filter(|at| *at < no_deadline())
}

/// By when the receiver of a referral sent at `sent` must answer.
pub(super) fn referral_answer_by(case: &Case, rule: &Rule, sent: At) -> At {
    let (sent, due) = (sent.utc(), case.due_at.utc());
    At::from(match rule.answer_within_hours {
        Some(hours) => sent + Duration::hours(hours),
        None if due > sent => sent + (due - sent) / 2,
        // Overdue already: a day is what an office needs.
        None => sent + Duration::days(1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(text: &str) -> At {
        At::from(text.parse::<DateTime<Utc>>().unwrap())
    }

    fn finding(code: &str, due_at: Option<&str>) -> Finding {
        serde_json::from_value(json!({
            "code": code, "severity": "critical", "row": null, "provisional": false, "hinges_on": [], "disclose": true,
            "title": {}, "basis": [], "action": {}, "due_at": due_at, "refer_to": null, "escalate_to": null,
            "because": [], "superseded": [],
        }))
        .unwrap()
    }

    fn due_of(code: &str, due_at: Option<&str>, visited: &str) -> Due {
        due_from(code, due_at, visited, visited)
    }

    fn due_from(code: &str, due_at: Option<&str>, visited: &str, from: &str) -> Due {
        let (matrix, calendar) = (Matrix::builtin().unwrap(), Calendar::builtin().unwrap());
        due(&finding(code, due_at), at(visited), at(from), &matrix, &calendar)
    }

    #[test]
    fn days_count_from_the_end_of_the_visit_days_off_included() {
        // A Friday; Sunday is a day off and counts.
        let due = due_of("AGE-01", Some("2026-11-21T15:30:00+05:00"), "2026-11-20T10:30:00Z");

        assert_eq!(due, Due { at: at("2026-11-21T10:30:00Z"), answer_within_hours: None });
    }

    #[test]
    fn deadline_nought_is_the_same_day_in_pakistan_with_an_answer_in_two_hours() {
        let noon = due_of("BON-01", Some("2026-11-20T12:00:00+05:00"), "2026-11-20T07:00:00Z");
        let late = due_of("BON-01", Some("2026-11-20T23:00:00+05:00"), "2026-11-20T18:00:00Z");

        assert_eq!(noon, Due { at: at("2026-11-20T18:59:59Z"), answer_within_hours: Some(2) });
        assert_eq!(late.at, at("2026-11-20T22:00:00Z"));
    }

    #[test]
    fn what_the_reviewers_answer_opened_has_its_whole_time_from_the_answer() {
        let (visited, answered) = ("2026-11-20T07:00:00Z", "2026-11-25T06:30:00Z");

        let days = due_from("AGE-01", Some("2026-11-21T12:00:00+05:00"), visited, answered);
        let same_day = due_from("BON-01", Some("2026-11-20T12:00:00+05:00"), visited, answered);

        assert_eq!(days, Due { at: at("2026-11-26T06:30:00Z"), answer_within_hours: None });
        assert_eq!(same_day, Due { at: at("2026-11-25T18:59:59Z"), answer_within_hours: Some(2) });
    }

    #[test]
    fn a_rule_without_a_deadline_is_never_due() {
        assert_eq!(due_of("X-01", None, "2026-11-20T07:00:00Z").at, no_deadline());
    }
}
