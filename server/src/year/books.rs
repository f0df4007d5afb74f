//! Examining the books: is every deadline accounted for, has every breach its record, was nobody told anything twice? What
//! each deadline came to is worked out anew from the events alone, and laid beside what the case says of itself. The
//! events are written out under names that do not hang on the server's ids, so that two years can be compared to the byte.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::assignments;
use crate::db::{At, DbConn};
use crate::error::Result;
use crate::findings::{self, Cause, Deed, Happened, Kept, ReferralState, State};
use crate::queue::{self, Left};

/// As long after a deadline its breach may be written down: jobs are run every few hours, less often on days off.
const LATEST_HOURS: i64 = 12;
/// So many mistakes are named; of more nobody needs to read.
const NAMED: usize = 20;

/// What the books say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Account {
    /// Findings that were opened.
    pub opened: u64,
    /// Put right, or dismissed, before the deadline passed.
    pub met: u64,
    /// The deadline passed first.
    pub breached: u64,
    /// The deadline stands still.
    pub paused: u64,
    /// It is still to come.
    pub running: u64,
    /// The rules no longer said so before it passed.
    pub withdrawn: u64,
    /// There is none.
    pub without: u64,
    /// Times a deadline was told to stand still.
    pub pauses: u64,
    /// Steps up the referral matrix.
    pub escalations: u64,
    /// Referrals, by where they stand.
    pub referrals: BTreeMap<String, u64>,
    /// Assignments, by where they stand.
    pub assignments: BTreeMap<String, u64>,
    /// Notices that wait for whoever sends them, by template.
    pub notices: BTreeMap<String, u64>,
    /// Events of findings, referrals and assignments.
    pub events: u64,
    /// SHA-256 over all of these, each on a line.
    pub digest: String,
    /// What is not as it should be.
    pub mistakes: Vec<String>,
}

impl Account {
    /// Whether everything is accounted for.
    pub fn adds_up(&self) -> bool {
        let fates = [self.met, self.breached, self.paused, self.running, self.withdrawn, self.without];
        self.mistakes.is_empty() && fates.iter().sum::<u64>() == self.opened
    }

    fn mistake(&mut self, what: String) {
        if self.mistakes.len() < NAMED {
            self.mistakes.push(what);
        }
    }
}

/// Examines the books as they stand at `now`. `names`: accounts by their ids.
pub fn examine(conn: &mut DbConn, names: &BTreeMap<String, String>, now: DateTime<Utc>) -> Result<Account> {
    let (found, visits) = (findings::books(conn)?, assignments::books(conn)?);
    let notices = queue::left_behind(conn, findings::NOTIFY)?;
    let mut account = Account::default();
    for case in &found {
        deadline(case, now, &mut account);
        referrals(case, now, &mut account);
    }
    for visit in &visits {
        *account.assignments.entry(visit.state.to_string()).or_default() += 1;
        completion(visit, &mut account);
    }
    told(&found, &notices, &mut account);
    let lines = written_out(&found, &visits, names);
    account.events = lines.len() as u64;
    let mut hasher = Sha256::new();
    for line in lines {
        hasher.update(line.as_bytes());
        hasher.update(b"\n");
    }
    account.digest = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(account)
}

/// What a deadline came to, by the events alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Met,
    Breached,
    Paused,
    Running,
    Withdrawn,
    Without,
}

fn deadline(case: &Kept, now: DateTime<Utc>, account: &mut Account) {
    account.opened += case.events.iter().filter(|event| event.deed == Deed::Opened).count() as u64;
    account.pauses += case.events.iter().filter(|event| event.deed == Deed::Paused).count() as u64;
    let escalations = case.events.iter().filter(|event| event.deed == Deed::Escalated).count();
    account.escalations += escalations as u64;
    if escalations != usize::try_from(case.level).unwrap_or_default() {
        account.mistake(format!("{}: at level {} by {escalations} escalations", case.key, case.level));
    }
    let fate = fate(case);
    match fate {
        Fate::Met => account.met += 1,
        Fate::Breached => account.breached += 1,
        Fate::Paused => account.paused += 1,
        Fate::Running => account.running += 1,
        Fate::Withdrawn => account.withdrawn += 1,
        Fate::Without => account.without += 1,
    }
    let records: Vec<&Happened> = case.events.iter().filter(|event| event.deed == Deed::Breached).collect();
    match records.as_slice() {
        [] if case.breached_at.is_some() => {
            account.mistake(format!("{}: breached without a record", case.key))
        }
        [_, _, ..] => account.mistake(format!("{}: breached {} times", case.key, records.len())),
        [one] if Some(one.at) != case.breached_at => {
            account
                .mistake(format!("{}: breached at {:?}, recorded at {}", case.key, case.breached_at, one.at));
        }
        _ => {}
    }
    let passed = passed(case, now);
    match (passed, records.first()) {
        (Some(at), None) => {
            account.mistake(format!("{}: its deadline passed at {at}, and nobody noted it", case.key))
        }
        (None, Some(one)) => {
            account.mistake(format!("{}: breached at {}, before its deadline passed", case.key, one.at))
        }
        (Some(at), Some(one)) => {
            let from = at.max(case.opened_at.utc());
            let late = one.at.utc() - from;
            if late < Duration::zero() || late > Duration::hours(LATEST_HOURS) {
                account.mistake(format!(
                    "{}: its deadline passed at {from}, and was noted at {}",
                    case.key, one.at
                ));
            }
        }
        (None, None) => {}
    }
}

fn fate(case: &Kept) -> Fate {
    let breached = case.events.iter().any(|event| event.deed == Deed::Breached);
    match case.state {
        _ if breached => Fate::Breached,
        _ if case.due_at.is_none() => Fate::Without,
        State::Superseded if case.cause != Some(Cause::Recurred) => Fate::Withdrawn,
        State::Remedied | State::Verified | State::Dismissed | State::Superseded => Fate::Met,
        State::Open | State::Acknowledged | State::Referred if case.paused_at.is_some() => Fate::Paused,
        State::Open | State::Acknowledged | State::Referred => Fate::Running,
    }
}

/// A stretch of a case's life in which its deadline stood at one instant, running or not.
struct Stretch {
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    due: DateTime<Utc>,
    runs: bool,
    /// What ended it was that the rules no longer said so.
    withdrawn: bool,
}

/// When the deadline passed while somebody still had to put it right; none: it did not.
fn passed(case: &Kept, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let stretches = stretches(case, now)?;
    let missed = |it: &Stretch| {
        // Between two runs of the jobs the rules may take a finding back before anybody notices that it is late.
        let unseen = it.withdrawn && it.until - it.due < Duration::hours(LATEST_HOURS);
        it.runs && it.due.max(it.from) < it.until && !unseen
    };
    stretches.iter().find(|it| missed(it)).map(|it| it.due.max(it.from))
}

fn stretches(case: &Kept, now: DateTime<Utc>) -> Option<Vec<Stretch>> {
    let mut due = case.due_at?.utc();
    let mut until = now;
    let mut stretches = Vec::new();
    let mut withdrawn = false;
    // Backwards: what the deadline was before is told by what moved it.
    for (event, stands_still) in case.events.iter().zip(standing_still(&case.events)).rev() {
        let runs = event.to.runs() && !stands_still;
        stretches.push(Stretch { from: event.at.utc(), until, due, runs, withdrawn });
        until = event.at.utc();
        withdrawn = event.deed == Deed::Superseded;
        match event.deed {
            Deed::Resumed => {
                let seconds = event.details.get("seconds").and_then(Value::as_i64);
                due -= Duration::seconds(seconds.unwrap_or_default());
            }
            Deed::Changed => {
                let before = event.details.pointer("/due_at/0").and_then(Value::as_str);
                due = before.and_then(|at| at.parse().ok()).unwrap_or(due);
            }
            _ => {}
        }
    }
    stretches.reverse();
    Some(stretches)
}

/// After which events the deadline stands still.
fn standing_still(events: &[Happened]) -> Vec<bool> {
    let mut stands_still = false;
    let after = |event: &Happened| {
        match event.deed {
            Deed::Paused => stands_still = true,
            Deed::Resumed | Deed::Superseded | Deed::Dismissed => stands_still = false,
            _ => {}
        }
        stands_still
    };
    events.iter().map(after).collect()
}

fn referrals(case: &Kept, now: DateTime<Utc>, account: &mut Account) {
    for sent in &case.referrals {
        *account.referrals.entry(sent.state.to_string()).or_default() += 1;
        let of_it = |deed: Deed| {
            let said = |event: &&Happened| {
                event.deed == deed
                    && event.details.get("referral").and_then(Value::as_str) == Some(sent.id.as_str())
            };
            case.events.iter().filter(said).count()
        };
        let unanswered = of_it(Deed::ReferralUnanswered);
        if unanswered > 1 {
            account.mistake(format!(
                "{}: a referral to {} was unanswered {unanswered} times",
                case.key, sent.body
            ));
        }
        let waits = sent.state == ReferralState::Sent && case.state.runs();
        let due = sent.answer_by.utc() + Duration::hours(LATEST_HOURS);
        if waits && due < now && unanswered == 0 {
            account.mistake(format!(
                "{}: a referral to {} is unanswered, and nobody noted it",
                case.key, sent.body
            ));
        }
    }
}

/// What is done was done once, or again after it was reopened.
fn completion(visit: &assignments::Kept, account: &mut Account) {
    let count = |deed| visit.events.iter().filter(|event| event.deed == deed).count();
    let (done, reopened) = (count(assignments::Deed::Completed), count(assignments::Deed::Reopened));
    let is_done = usize::from(visit.state == assignments::State::Done);
    if done != reopened + is_done || (is_done == 1) != visit.completed_by.is_some() {
        account.mistake(format!(
            "the visit to {} was done {done} times and reopened {reopened} times",
            visit.place
        ));
    }
}

/// Every step up the matrix was told once, and nothing was told twice.
fn told(found: &[Kept], notices: &[Left], account: &mut Account) {
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let mut up: BTreeMap<String, u64> = BTreeMap::new();
    for notice in notices {
        let template = notice.details.get("template").and_then(Value::as_str).unwrap_or_default();
        *account.notices.entry(template.to_owned()).or_default() += 1;
        *seen.entry(notice.key.clone().unwrap_or_default()).or_default() += 1;
        if ["finding.overdue", "finding.escalated", "referral.declined", "referral.unanswered"]
            .contains(&template)
        {
            *up.entry(notice.subject.clone()).or_default() += 1;
        }
    }
    for (key, count) in seen.iter().filter(|(key, count)| **count > 1 || key.is_empty()) {
        account.mistake(format!("{key:?} was told {count} times"));
    }
    for case in found {
        let escalated = case.events.iter().filter(|event| event.deed == Deed::Escalated).count() as u64;
        let told = up.get(&format!("finding:{}", case.id)).copied().unwrap_or_default();
        if escalated != told {
            account.mistake(format!("{}: escalated {escalated} times, told {told} times", case.key));
        }
    }
}

/// Every event on a line, in the order in which they happened, under names that do not hang on ids.
fn written_out(
    found: &[Kept],
    visits: &[assignments::Kept],
    names: &BTreeMap<String, String>,
) -> Vec<String> {
    let mut known = names.clone();
    let mut numbers: BTreeMap<String, u64> = BTreeMap::new();
    let mut named = |stem: String| {
        let number = numbers.entry(stem.clone()).or_default();
        *number += 1;
        format!("{stem}#{number}")
    };
    for case in found {
        let name = named(format!("finding {}", case.key));
        for (n, sent) in case.referrals.iter().enumerate() {
            known.insert(sent.id.to_string(), format!("referral {n} of {name}"));
        }
        known.insert(case.id.to_string(), name);
    }
    for visit in visits {
        known.insert(
            visit.id.to_string(),
            named(format!("visit {} {} {}", visit.form, visit.place, visit.origin)),
        );
    }
    let mut lines: Vec<(At, String, i32, Value)> = Vec::new();
    for case in found {
        let name = known.get(case.id.as_str()).cloned().unwrap_or_default();
        lines.extend(
            case.events.iter().map(|event| (event.at, name.clone(), event.n, finding_event(&name, event))),
        );
    }
    for visit in visits {
        let name = known.get(visit.id.as_str()).cloned().unwrap_or_default();
        lines.extend(
            visit.events.iter().map(|event| (event.at, name.clone(), event.n, visit_event(&name, event))),
        );
    }
    lines.sort_by(|one, other| (one.0, &one.1, one.2).cmp(&(other.0, &other.1, other.2)));
    lines.into_iter().map(|(.., line)| renamed(&line.to_string(), &known)).collect()
}

fn finding_event(name: &str, event: &Happened) -> Value {
    json!({
        "of": name, "n": event.n, "at": event.at, "by": event.account, "deed": event.deed, "from": event.from,
        "to": event.to, "submission": event.submission, "comment": event.comment, "details": event.details,
    })
}

fn visit_event(name: &str, event: &assignments::Happened) -> Value {
    json!({
        "of": name, "n": event.n, "at": event.at, "by": event.account, "deed": event.deed, "state": event.state,
        "submission": event.submission, "reason": event.reason, "details": event.details,
    })
}

/// A line with the names of what it names by id.
fn renamed(line: &str, known: &BTreeMap<String, String>) -> String {
    const LENGTH: usize = 36;
    let mut renamed = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let id = rest.get(..LENGTH).filter(|id| id.as_bytes()[8] == b'-' && id.as_bytes()[13] == b'-');
        match id.and_then(|id| known.get(id)) {
            Some(name) => {
                renamed.push_str(name);
                rest = &rest[LENGTH..];
            }
            None => {
                renamed.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: u32, hour: u32) -> At {
        At::from(format!("2027-01-{day:02}T{hour:02}:00:00Z").parse::<DateTime<Utc>>().unwrap())
    }

    fn event(n: i32, at: At, deed: Deed, states: (State, State), details: Value) -> Happened {
        let (from, to) = states;
        Happened { n, at, account: None, deed, from, to, submission: None, comment: None, details }
    }

    /// A case opened on the first, due on the fifth at noon, and what happened to it since.
    fn case(state: State, due: At, since: Vec<Happened>) -> Kept {
        let opened = event(1, at(1, 8), Deed::Opened, (State::Open, State::Open), json!({}));
        let breach = since.iter().find(|event| event.deed == Deed::Breached).map(|event| event.at);
        Kept {
            id: "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10".parse().unwrap(),
            key: "AGE-01|place|child".to_owned(),
            state,
            cause: None,
            opened_at: at(1, 8),
            due_at: Some(due),
            breached_at: breach,
            paused_at: None,
            paused_for: 0,
            level: since.iter().filter(|event| event.deed == Deed::Escalated).count() as i32,
            events: [vec![opened], since].concat(),
            referrals: Vec::new(),
        }
    }

    fn mistakes(case: &Kept, now: At) -> Vec<String> {
        let mut account = Account::default();
        deadline(case, now.utc(), &mut account);
        account.mistakes
    }

    const OPEN: (State, State) = (State::Open, State::Open);

    #[test]
    fn a_deadline_that_passed_unnoticed_is_a_mistake() {
        let silent = case(State::Open, at(5, 12), vec![]);
        let noted = case(State::Open, at(5, 12), vec![event(2, at(5, 14), Deed::Breached, OPEN, json!({}))]);
        let too_soon =
            case(State::Open, at(5, 12), vec![event(2, at(5, 10), Deed::Breached, OPEN, json!({}))]);
        let too_late =
            case(State::Open, at(5, 12), vec![event(2, at(7, 10), Deed::Breached, OPEN, json!({}))]);

        assert_eq!(mistakes(&silent, at(5, 11)), Vec::<String>::new());
        assert!(mistakes(&silent, at(6, 0))[0].contains("nobody noted it"));
        assert_eq!(mistakes(&noted, at(6, 0)), Vec::<String>::new());
        assert!(
            mistakes(&too_soon, at(6, 0))[0].contains("was noted at"),
            "{:?}",
            mistakes(&too_soon, at(6, 0))
        );
        assert!(mistakes(&too_late, at(8, 0))[0].contains("was noted at"));
        assert!(mistakes(&too_soon, at(5, 11))[0].contains("before its deadline passed"));
    }

    #[test]
    fn a_deadline_that_stood_still_is_later_by_that_time() {
        let two_days = json!({ "seconds": 2 * 86_400 });
        let stood_still = vec![
            event(2, at(4, 12), Deed::Paused, OPEN, json!({})),
            event(3, at(6, 12), Deed::Resumed, OPEN, two_days),
        ];
        let remedied = event(4, at(7, 11), Deed::Remedied, (State::Open, State::Remedied), json!({}));
        let in_time = case(State::Remedied, at(7, 12), [stood_still.clone(), vec![remedied]].concat());
        let never_noted = case(State::Open, at(7, 12), stood_still);

        assert_eq!(mistakes(&in_time, at(9, 0)), Vec::<String>::new());
        assert_eq!(fate(&in_time), Fate::Met);
        assert!(mistakes(&never_noted, at(8, 12))[0].contains("passed at 2027-01-07 12:00:00 UTC"));
    }

    #[test]
    fn a_breach_is_recorded_once_and_a_step_up_is_told_once() {
        let breach = |n| event(n, at(5, 14), Deed::Breached, OPEN, json!({}));
        let twice = case(State::Open, at(5, 12), vec![breach(2), breach(3)]);
        let up = event(3, at(5, 14), Deed::Escalated, OPEN, json!({}));
        let escalated = case(State::Open, at(5, 12), vec![breach(2), up]);
        let notice = |key: &str| Left {
            subject: format!("finding:{}", escalated.id),
            key: Some(key.to_owned()),
            details: json!({ "template": "finding.overdue" }),
        };
        let told = |notices: &[Left]| {
            let mut account = Account::default();
            super::told(std::slice::from_ref(&escalated), notices, &mut account);
            account.mistakes.len()
        };

        assert!(mistakes(&twice, at(6, 0))[0].contains("breached 2 times"));
        assert_eq!((told(&[]), told(&[notice("a")]), told(&[notice("a"), notice("b")])), (1, 0, 1));
        assert_eq!(told(&[notice("a"), notice("a")]), 2);
    }

    #[test]
    fn ids_give_way_to_names() {
        let id = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10";
        let known = BTreeMap::from([(id.to_owned(), "finding A#1".to_owned())]);
        let line = format!("{{\"of\":\"{id}\",\"named\":\"بچہ {id}\",\"short\":\"0190b7a4\"}}");

        let written = renamed(&line, &known);

        assert_eq!(written, "{\"of\":\"finding A#1\",\"named\":\"بچہ finding A#1\",\"short\":\"0190b7a4\"}");
    }
}
