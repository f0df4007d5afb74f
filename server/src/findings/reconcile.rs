//! Reconciling: what the rules say of a revision that was just filed, against the cases that exist. New ones open,
//! unchanged ones stay with their history, ones no longer true are superseded; nothing is deleted. It happens in the
//! transaction that files the revision.
//!
//! What a newcomer would get wrong: only the submission that showed a finding can take it back. That a later visit does
//! not show it closes nothing: the child may have been hidden, the entry refused.

use std::collections::{BTreeMap, BTreeSet};

use form_engine::Finding;
use serde_json::{Value, json};

use super::Findings;
use super::casework::{Casework, event};
use super::deadlines;
use super::model::{Case, Cause, Deed, EventRow, FindingId, Note, Rule, Severity, State, WHOLE_VISIT};
use super::{alarms, notices, store};
use crate::audit::{self, Event};
use crate::db::{At, Json, Tx, storable};
use crate::error::Result;
use crate::submissions::FiledRevision;

/// What the rules say, under the key it is known by.
struct Wanted<'f> {
    key: String,
    /// Under which earlier cases may be kept: the facility may have been merged since.
    keys: Vec<String>,
    subject: String,
    finding: &'f Finding,
}

/// What a reconciliation came to.
#[derive(Default)]
struct Tally {
    opened: Vec<Case>,
    events: Vec<EventRow>,
    unchanged: Vec<FindingId>,
    /// Cases that went with the submission to another facility.
    moved: BTreeSet<FindingId>,
    counts: BTreeMap<&'static str, usize>,
    earliest: Option<At>,
}

impl Tally {
    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn alarm(&mut self, at: Option<At>) {
        self.earliest = self.earliest.into_iter().chain(at).min();
    }
}

/// A case's key: the rule, the place, the subject. Without a facility, the submission is the place.
fn key(code: &str, place: &str, subject: &str) -> String {
    format!("{code}|{place}|{subject}")
}

impl Findings {
    /// Reconciles a revision that was just filed.
    pub(super) fn reconcile(&self, tx: &mut Tx, filed: &FiledRevision) -> Result<()> {
        let place = self.place(tx, filed)?;
        let facility = place.facility;
        let wanted = wanted(filed, &place.known_as);
        // Its own cases are there if it was filed before, or is the same revision with its reviewer's answers.
        let ours = match filed.before.is_some() {
            true => store::shown_by(tx.conn, filed.submission.as_str())?,
            false => Vec::new(),
        };
        // A first revision without a facility can meet no case: nothing was ever found there.
        let there = match facility.is_some() && !wanted.is_empty() {
            true => {
                let keys: Vec<String> = wanted.iter().flat_map(|it| it.keys.iter().cloned()).collect();
                store::with_keys(tx.conn, &keys)?
            }
            false => Vec::new(),
        };
        let mut tally = Tally::default();
        for it in &wanted {
            self.settle(tx, filed, facility.as_deref(), it, &ours, &there, &mut tally)?;
        }
        let gone = gone(ours, &wanted).into_iter().filter(|case| !tally.moved.contains(&case.id));
        for case in gone.collect::<Vec<_>>() {
            self.let_go(tx, filed, &wanted, case, &mut tally)?;
        }
        self.write_down(tx, filed, tally)
    }

    #[allow(clippy::too_many_arguments, reason = "one call site; what it decides on is what it is given")]
    fn settle(
        &self,
        tx: &mut Tx,
        filed: &FiledRevision,
        facility: Option<&str>,
        wanted: &Wanted,
        ours: &[Case],
        there: &[Case],
        tally: &mut Tally,
    ) -> Result<()> {
        let mut known: Vec<&Case> =
            there.iter().chain(ours).filter(|case| wanted.keys.contains(&case.key)).collect();
        known.sort_by(|a, b| {
            (!a.state.runs(), b.opened_at, &b.id).cmp(&(!b.state.runs(), a.opened_at, &a.id))
        });
        known.dedup_by(|a, b| a.id == b.id);
        let Some(latest) = known.first() else {
            return match moving(tx, filed, wanted, ours)? {
                Some(case) => self.move_to(tx, filed, facility, wanted, case, tally),
                None => self.raise(tx, filed, facility, wanted, 0, tally),
            };
        };
        let is_ours = ours.iter().any(|case| case.id == latest.id);
        match latest.state {
            State::Open | State::Acknowledged | State::Referred => {
                self.refresh(tx, filed, wanted, latest, is_ours, tally)
            }
            State::Superseded if is_ours => self.revive(tx, filed, wanted, latest, tally),
            _ if is_ours => self.refresh(tx, filed, wanted, latest, true, tally),
            _ => {
                let recurrence = known.iter().filter(|case| was_true(case)).count() as i32;
                if latest.state == State::Remedied {
                    supersede(tx, filed, latest, Cause::Recurred, json!({}))?;
                }
                self.raise(tx, filed, facility, wanted, recurrence, tally)
            }
        }
    }

    fn raise(
        &self,
        tx: &mut Tx,
        filed: &FiledRevision,
        facility: Option<&str>,
        wanted: &Wanted,
        recurrence: i32,
        tally: &mut Tally,
    ) -> Result<()> {
        let due = self.due(filed, wanted.finding, filed.answered_at);
        let rule = Rule { answered_at: filed.answered_at, ..self.rule(filed, wanted.finding) };
        let text = |it: Option<&str>| it.map(str::to_owned);
        let mut case = Case {
            id: tx.new_id().into(),
            key: wanted.key.clone(),
            code: wanted.finding.code.clone(),
            kind: filed.kind,
            facility: text(facility),
            submission_id: filed.submission.to_string(),
            revision: filed.revision,
            subject: wanted.subject.clone(),
            rule: Json::of(&rule)?,
            state: State::Open,
            cause: None,
            severity: rule.severity,
            provisional: wanted.finding.provisional,
            disclose: wanted.finding.disclose,
            refer_to: wanted.finding.refer_to.clone(),
            recurrence,
            opened_at: At::from(tx.now()),
            visited_at: filed.finished_at,
            due_at: due.at,
            alarm_at: None,
            level: 0,
            breached_at: None,
            paused_at: None,
            paused_for: 0,
            proposal: None,
            opened_by: filed.account.to_owned(),
            filed_by: filed.account.to_owned(),
            province: text(filed.areas.province),
            division: text(filed.areas.division),
            district: text(filed.areas.district),
            version: 0,
        };
        case.alarm_at = deadlines::next_alarm(&case, &rule);
        let details = match recurrence {
            0 => json!({ "severity": case.severity }),
            _ => json!({ "severity": case.severity, "recurrence": recurrence }),
        };
        let note = Note::shown(filed.submission.as_str(), filed.revision, details);
        tally.events.push(event(tx, &mut case, Deed::Opened, State::Open, note)?);
        tally.alarm(case.alarm_at);
        tally.count(if recurrence > 0 { "recurred" } else { "opened" });
        tally.opened.push(case);
        Ok(())
    }

    /// Brings a case that holds up to what the rules say now.
    fn refresh(
        &self,
        tx: &mut Tx,
        filed: &FiledRevision,
        wanted: &Wanted,
        case: &Case,
        is_ours: bool,
        tally: &mut Tally,
    ) -> Result<()> {
        let mut work = Casework::on(case.clone());
        let mut changed = json!({});
        if is_ours {
            self.say_anew(&mut work.case, filed, wanted.finding, &mut changed)?;
        }
        let firmed = work.case.provisional && !wanted.finding.provisional;
        work.case.provisional &= wanted.finding.provisional;
        let shown = |details| Note::shown(filed.submission.as_str(), filed.revision, details);
        let is_shown_by_another = case.submission_id != filed.submission.as_str();
        if is_shown_by_another && !shows(tx, case, filed.submission.as_str())? {
            work.note(tx, Deed::SeenAgain, shown(json!({})))?;
            tally.count("seen_again");
        }
        if firmed {
            work.note(tx, Deed::Firmed, shown(json!({})))?;
            tally.count("firmed");
        }
        if changed.as_object().is_some_and(|changed| !changed.is_empty()) {
            work.note(tx, Deed::Changed, shown(changed))?;
            tally.count("changed");
        }
        if !work.is_changed() {
            tally.unchanged.extend((!is_shown_by_another).then(|| case.id.clone()));
            return Ok(());
        }
        if filed.finished_at >= case.visited_at {
            work.case.submission_id = filed.submission.to_string();
            work.case.revision = filed.revision;
            work.case.filed_by = filed.account.to_owned();
        }
        let case = work.put_back(tx)?;
        tally.alarm(case.alarm_at);
        Ok(())
    }

    /// What the rules of the submission that opened it say differently now.
    fn say_anew(
        &self,
        case: &mut Case,
        filed: &FiledRevision,
        finding: &Finding,
        changed: &mut Value,
    ) -> Result<()> {
        let (before, now) = (case.rule()?, self.rule(filed, finding));
        let severity = carried(case.severity, before.severity, now.severity);
        if severity != case.severity {
            changed["severity"] = json!([case.severity, severity]);
            case.severity = severity;
        }
        if case.disclose != finding.disclose {
            changed["disclose"] = json!(finding.disclose);
            case.disclose = finding.disclose;
        }
        case.refer_to = finding.refer_to.clone();
        let is_the_opening_visit = before.opened_in == filed.submission.as_str();
        if is_the_opening_visit && case.visited_at != filed.finished_at {
            let due = self.due(filed, finding, before.answered_at);
            let due_at = At::from_micros(due.at.micros().saturating_add(case.paused_for));
            match due_at == case.due_at {
                true => changed["visited_at"] = json!([case.visited_at, filed.finished_at]),
                false => changed["due_at"] = json!([case.due_at, due_at]),
            }
            (case.visited_at, case.due_at) = (filed.finished_at, due_at);
        }
        let Rule { opened_in, answered_at, .. } = before;
        case.rule = Json::of(&Rule { opened_in, answered_at, ..now })?;
        Ok(())
    }

    /// The submission says it was about another facility: its cases go with it.
    fn move_to(
        &self,
        tx: &mut Tx,
        filed: &FiledRevision,
        facility: Option<&str>,
        wanted: &Wanted,
        case: &Case,
        tally: &mut Tally,
    ) -> Result<()> {
        let mut work = Casework::on(case.clone());
        let mut changed = json!({ "facility": facility });
        self.say_anew(&mut work.case, filed, wanted.finding, &mut changed)?;
        work.case.provisional &= wanted.finding.provisional;
        work.case.key = wanted.key.clone();
        work.case.facility = facility.map(str::to_owned);
        work.case.revision = filed.revision;
        let note = Note::shown(filed.submission.as_str(), filed.revision, changed);
        work.note(tx, Deed::Changed, note)?;
        let case = work.put_back(tx)?;
        tally.alarm(case.alarm_at);
        tally.count("moved");
        tally.moved.insert(case.id);
        Ok(())
    }

    /// A case this very submission had lost holds again.
    fn revive(
        &self,
        tx: &mut Tx,
        filed: &FiledRevision,
        wanted: &Wanted,
        case: &Case,
        tally: &mut Tally,
    ) -> Result<()> {
        let state = stood_at(tx, case)?;
        let mut work = Casework::on(case.clone());
        self.say_anew(&mut work.case, filed, wanted.finding, &mut json!({}))?;
        work.case.provisional = wanted.finding.provisional;
        work.case.cause = None;
        work.case.submission_id = filed.submission.to_string();
        work.case.revision = filed.revision;
        let note = Note::shown(filed.submission.as_str(), filed.revision, json!({}));
        work.moved(tx, Deed::Revived, state, note)?;
        let case = work.put_back(tx)?;
        tally.alarm(case.alarm_at);
        tally.count("revived");
        Ok(())
    }

    /// The submission no longer shows the case: it is superseded, unless another visit still shows it.
    fn let_go(
        &self,
        tx: &mut Tx,
        filed: &FiledRevision,
        wanted: &[Wanted],
        case: Case,
        tally: &mut Tally,
    ) -> Result<()> {
        if let Some((submission, revision)) = shown_elsewhere(tx, &case, filed.submission.as_str())? {
            let mut work = Casework::on(case);
            (work.case.submission_id, work.case.revision) = (submission, revision);
            work.note(tx, Deed::NotSeen, Note::shown(filed.submission.as_str(), filed.revision, json!({})))?;
            work.put_back(tx)?;
            tally.count("not_seen");
            return Ok(());
        }
        let folded =
            wanted.iter().find(|it| it.subject == case.subject && it.finding.superseded.contains(&case.code));
        let moved = wanted.iter().any(|it| it.subject == case.subject && it.finding.code == case.code);
        let (cause, details) = match folded {
            Some(into) => (Cause::Folded, json!({ "into": into.finding.code })),
            None if moved => (Cause::Moved, json!({})),
            None if case.provisional => (Cause::Answered, json!({})),
            None => (Cause::Corrected, json!({})),
        };
        supersede(tx, filed, &case, cause, details)?;
        tally.count("superseded");
        // Nobody needs to travel any more to see what the rules have taken back.
        self.tell_followers(tx, &case.id, case.state)
    }

    fn rule(&self, filed: &FiledRevision, finding: &Finding) -> Rule {
        let due = self.due(filed, finding, None);
        Rule {
            form: filed.form.to_owned(),
            opened_in: filed.submission.to_string(),
            title: finding.title.clone(),
            severity: finding.severity.into(),
            escalate_to: finding.escalate_to.clone(),
            answer_within_hours: due.answer_within_hours,
            answered_at: None,
        }
    }

    /// When a finding is due: the time its rule gives, from the visit's end, or from the answer of a reviewer that opened it.
    fn due(&self, filed: &FiledRevision, finding: &Finding, answered_at: Option<At>) -> deadlines::Due {
        let from = answered_at.unwrap_or(filed.finished_at);
        deadlines::due(finding, filed.finished_at, from, &self.matrix, &self.calendar)
    }

    fn write_down(&self, tx: &mut Tx, filed: &FiledRevision, tally: Tally) -> Result<()> {
        store::insert_cases(tx.conn, &tally.opened)?;
        store::add_events(tx.conn, &tally.events)?;
        store::point(tx.conn, &tally.unchanged, filed.submission.as_str(), filed.revision)?;
        if !tally.counts.is_empty() {
            let details = json!({ "revision": filed.revision, "findings": tally.counts });
            audit::record(tx, Event::new("findings.reconciled", "submission", filed.submission, details))?;
        }
        alarms::set(tx, tally.earliest)?;
        // What cannot wait is told at once; the rest stands in the supervisor's list.
        let urgent = tally.opened.iter().find(|case| case.severity >= Severity::Emergency);
        match urgent {
            Some(case) => notices::tell(tx, "finding.urgent", case, vec![notices::supervisors(case)]),
            None => Ok(()),
        }
    }
}

fn wanted<'f>(filed: &FiledRevision<'f>, places: &[String]) -> Vec<Wanted<'f>> {
    let mut seen = BTreeSet::new();
    let all = filed.findings.iter().map(|finding| {
        let subject = finding.row.clone().map_or_else(|| WHOLE_VISIT.to_owned(), storable);
        let keys: Vec<String> = places.iter().map(|place| key(&finding.code, place, &subject)).collect();
        Wanted { key: keys.last().cloned().unwrap_or_default(), keys, subject, finding }
    });
    // A row key used twice is an error of the answers; the finding is one all the same.
    all.filter(|it| seen.insert(it.key.clone())).collect()
}

/// The case of this submission alone that says the same of another place.
fn moving<'c>(
    tx: &mut Tx,
    filed: &FiledRevision,
    wanted: &Wanted,
    ours: &'c [Case],
) -> Result<Option<&'c Case>> {
    let same = |case: &&Case| case.code == wanted.finding.code && case.subject == wanted.subject;
    let Some(case) = ours.iter().filter(same).find(|case| case.state.runs() || case.state == State::Remedied)
    else {
        return Ok(None);
    };
    let elsewhere = shown_elsewhere(tx, case, filed.submission.as_str())?;
    Ok(elsewhere.is_none().then_some(case))
}

/// Cases this submission showed and no longer does, of those that can still be taken back.
fn gone(ours: Vec<Case>, wanted: &[Wanted]) -> Vec<Case> {
    let keys: BTreeSet<&str> = wanted.iter().flat_map(|it| &it.keys).map(String::as_str).collect();
    let open = |case: &Case| case.state.runs() || case.state == State::Remedied;
    ours.into_iter().filter(|case| open(case) && !keys.contains(case.key.as_str())).collect()
}

/// Whether the case had been put right: what is found after that is found again.
fn was_true(case: &Case) -> bool {
    match case.state {
        State::Remedied | State::Verified => true,
        State::Superseded => case.cause == Some(Cause::Recurred),
        _ => false,
    }
}

/// The severity a case keeps when the rule's changes: what people raised stays raised, what a second person lowered
/// stays lowered as long as the rule stays as it was.
fn carried(stands: Severity, said: Severity, says: Severity) -> Severity {
    match (stands.cmp(&said), says == said) {
        (_, true) => stands,
        (std::cmp::Ordering::Greater, false) => stands.max(says),
        (_, false) => says,
    }
}

fn supersede(
    tx: &mut Tx,
    filed: &FiledRevision,
    case: &Case,
    cause: Cause,
    mut details: Value,
) -> Result<()> {
    details["cause"] = json!(cause);
    let note = Note::shown(filed.submission.as_str(), filed.revision, details);
    superseded(tx, case, cause, note)
}

/// Supersedes a case; it keeps all it was.
pub(super) fn superseded(tx: &mut Tx, case: &Case, cause: Cause, note: Note) -> Result<()> {
    let mut work = Casework::on(case.clone());
    work.case.cause = Some(cause);
    work.case.paused_at = None;
    work.case.proposal = None;
    work.moved(tx, Deed::Superseded, State::Superseded, note)?;
    work.put_back(tx).map(drop)
}

/// Where a superseded case stood before.
pub(super) fn stood_at(tx: &mut Tx, case: &Case) -> Result<State> {
    let events = store::events(tx.conn, &case.id)?;
    let last = events.iter().rev().find(|event| event.deed == Deed::Superseded);
    Ok(last.map_or(State::Open, |event| event.from_state))
}

/// Another submission that still shows the case, and its revision.
pub(super) fn shown_elsewhere(tx: &mut Tx, case: &Case, not: &str) -> Result<Option<(String, i32)>> {
    let others = showing(tx, case)?.into_iter().filter(|(submission, _)| submission != not);
    Ok(others.filter_map(|(submission, revision)| Some((submission, revision?))).next_back())
}

/// Whether the submission, by what it said last, shows the case.
pub(super) fn shows(tx: &mut Tx, case: &Case, submission: &str) -> Result<bool> {
    Ok(showing(tx, case)?.get(submission).is_some_and(Option::is_some))
}

/// Which submissions spoke of the case, and by which revision each still shows it.
fn showing(tx: &mut Tx, case: &Case) -> Result<BTreeMap<String, Option<i32>>> {
    let mut shows = BTreeMap::new();
    for (deed, submission, revision) in store::sightings(tx.conn, &case.id)? {
        match deed {
            Deed::NotSeen | Deed::Superseded => shows.insert(submission, None),
            Deed::Opened | Deed::SeenAgain | Deed::Revived => shows.insert(submission, Some(revision)),
            _ => None,
        };
    }
    Ok(shows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_raised_stays_raised_and_what_was_lowered_stays_lowered() {
        use Severity::{Critical, Major, Minor};

        assert_eq!(carried(Critical, Major, Major), Critical);
        assert_eq!(carried(Critical, Major, Minor), Critical);
        assert_eq!(carried(Minor, Major, Major), Minor);
        assert_eq!(carried(Minor, Major, Critical), Critical);
        assert_eq!(carried(Major, Major, Minor), Minor);
    }
}
