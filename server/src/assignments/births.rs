//! Assignments nobody has to think of: a finding said to be put right is to be seen, and an audit's rating says when the
//! next one is due. Both are made in the transaction of what they follow from.

use serde_json::json;

use super::ledger::{self, Note};
use super::making::Wanted;
use super::model::{Assignment, Deed, Origin, line_of};
use super::rotation::names_of;
use super::{Assignments, days, store};
use crate::accounts::{Kind, Line};
use crate::db::{At, Json, Tx};
use crate::error::Result;
use crate::facilities::{self, FacilityId, Risk};
use crate::findings::{self, Moved, State as Standing};
use crate::submissions::{self, FiledRevision, Judgement};

/// The longest interval a form may ask for, in days.
const LONGEST_INTERVAL: i64 = 3650;

/// An audit, as far as the next one follows from it.
struct Audit<'a> {
    submission: &'a str,
    form: &'a str,
    facility: &'a str,
    areas: [Option<String>; 3],
    finished_at: At,
    judgement: &'a Judgement,
}

impl Assignments {
    /// A finding said to be put right is to be seen; one that is verified, or open again, is not.
    pub(super) fn follow_finding(&self, tx: &mut Tx, moved: &Moved) -> Result<()> {
        match (moved.from, moved.to) {
            (_, Standing::Remedied) => self.have_it_seen(tx, moved),
            (Standing::Remedied, _) => let_go(tx, moved),
            _ => Ok(()),
        }
    }

    /// One visit sees everything at a place that is said to be put right.
    fn have_it_seen(&self, tx: &mut Tx, moved: &Moved) -> Result<()> {
        let Some(facility) = &moved.facility else { return Ok(()) };
        let names = names_of(tx.conn, facility)?;
        let now = At::from(tx.now());
        let last_day = days::after(days::day_of(now), self.rules.reinspection_days(moved.severity));
        let due_at = days::end_of(last_day);
        let open = store::open_at(tx.conn, &names, moved.kind)?;
        if let Some(before) = open.into_iter().find(|row| row.origin == Origin::Finding) {
            return extend(tx, before, moved, due_at);
        }
        let wanted = Wanted {
            form: moved.form.clone(),
            kind: moved.kind,
            line: line_of(moved.kind),
            facility: facility.clone(),
            areas: moved.areas.clone(),
            origin: Origin::Finding,
            origin_id: Some(moved.id.to_string()),
            findings: vec![moved.id.to_string()],
            reason: format!("See whether finding {} was put right.", moved.code),
            from_at: now,
            due_at,
            made_by: None,
            once: None,
        };
        let row = self.drafted(tx, wanted)?;
        ledger::enter(tx, &row).map(drop)
    }

    /// Sets the next audit of a home by the rating of the one that was just filed, if that is the latest.
    pub(super) fn set_next_audit(&self, tx: &mut Tx, filed: &FiledRevision) -> Result<()> {
        let (Kind::Audit, Some(facility)) = (filed.kind, filed.facility) else { return Ok(()) };
        let names = names_of(tx.conn, facility)?;
        let last = submissions::last_visit(tx.conn, &names, Kind::Audit)?;
        if last.is_none_or(|last| last.submission != *filed.submission) {
            return Ok(());
        }
        let audit = Audit {
            submission: filed.submission.as_str(),
            form: filed.form,
            facility,
            areas: [filed.areas.province, filed.areas.division, filed.areas.district]
                .map(|area| area.map(str::to_owned)),
            finished_at: filed.finished_at,
            judgement: filed.judgement,
        };
        self.follow_audit(tx, &audit, &names)
    }

    /// Sets the next audit of a home anew, since a rejection, or a rejection taken back, has changed which audit is the
    /// latest that counts.
    pub(super) fn reset_next_audit(&self, tx: &mut Tx, facility: &str) -> Result<()> {
        let names = names_of(tx.conn, facility)?;
        let Some(last) = submissions::last_visit(tx.conn, &names, Kind::Audit)? else { return Ok(()) };
        let id = last.submission.as_str();
        let facts = submissions::facts(tx.conn, id)?;
        let judgement = submissions::judged(tx.conn, id, last.revision)?;
        let (Some(facts), Some(judgement)) = (facts, judgement) else { return Ok(()) };
        let mut areas = facts.areas.into_iter().map(Some);
        let audit = Audit {
            submission: id,
            form: &facts.form,
            facility,
            areas: std::array::from_fn(|_| areas.next().flatten()),
            finished_at: facts.finished_at,
            judgement: &judgement,
        };
        self.follow_audit(tx, &audit, &names)
    }

    /// `names`: every id the home is known by. The audit is the latest that counts.
    fn follow_audit(&self, tx: &mut Tx, audit: &Audit, names: &[String]) -> Result<()> {
        let Some(risk) = rating(audit.judgement).and_then(|rating| self.rules.risk(rating)) else {
            return Ok(());
        };
        if let Ok(id) = audit.facility.parse::<FacilityId>() {
            facilities::rate(tx, &id, risk)?;
        }
        let (from_at, due_at) = self.next_window(audit, risk);
        if let Some(before) = store::born_of(tx.conn, Origin::Audit, audit.submission)?.pop() {
            return reschedule(tx, before, from_at, due_at);
        }
        for earlier in store::open_at(tx.conn, names, Kind::Audit)? {
            if earlier.origin == Origin::Audit {
                ledger::cancel(tx, earlier, "Another audit says anew when the next one is due.")?;
            }
        }
        let wanted = Wanted {
            form: audit.form.to_owned(),
            kind: Kind::Audit,
            line: Line::Swd,
            facility: audit.facility.to_owned(),
            areas: audit.areas.clone(),
            origin: Origin::Audit,
            origin_id: Some(audit.submission.to_owned()),
            findings: Vec::new(),
            reason: "The next audit, by the rating of the last one.".to_owned(),
            from_at,
            due_at,
            made_by: None,
            once: None,
        };
        let mut row = self.drafted(tx, wanted)?;
        // Whatever audit ended after this one is the next, though this one may have waited for a network.
        row.counts_from = audit.finished_at;
        ledger::enter(tx, &row).map(drop)
    }

    /// When the next audit may be made, and by when: as the form says, and where it does not, by the register's interval.
    fn next_window(&self, audit: &Audit, risk: Risk) -> (At, At) {
        let said = calculated(audit.judgement, "next_audit_days").and_then(serde_json::Value::as_f64);
        let said = said.map(|days| days as i64).filter(|days| (0..=LONGEST_INTERVAL).contains(days));
        let interval = said.unwrap_or_else(|| facilities::visit_interval_days(Line::Swd, Some(risk)));
        let due = days::after(days::day_of(audit.finished_at), interval);
        (days::start_of(days::after(due, -self.rules.opens_before(interval))), days::end_of(due))
    }
}

/// Nobody needs to travel any more for what was verified otherwise, or is open again.
fn let_go(tx: &mut Tx, moved: &Moved) -> Result<()> {
    let Some(facility) = &moved.facility else { return Ok(()) };
    let names = names_of(tx.conn, facility)?;
    for row in store::open_at(tx.conn, &names, moved.kind)? {
        let seen = row.findings()?;
        let ours = row.origin == Origin::Finding && row.made_by.is_none();
        if ours && seen.contains(&moved.id.to_string()) && findings::awaiting_proof(tx.conn, &seen)? == 0 {
            ledger::cancel(tx, row, format!("Finding {} is {} without this visit.", moved.code, moved.to))?;
        }
    }
    Ok(())
}

fn extend(tx: &mut Tx, before: Assignment, moved: &Moved, due_at: At) -> Result<()> {
    let mut row = before.clone();
    let mut seen = before.findings()?;
    if !seen.contains(&moved.id.to_string()) {
        seen.push(moved.id.to_string());
    }
    row.findings = Json::of(&seen)?;
    row.due_at = before.due_at.min(due_at);
    if row == before {
        return Ok(());
    }
    let note = Note { details: json!({ "finding": moved.id, "due_at": row.due_at }), ..Note::default() };
    ledger::amend(tx, &before, row, Deed::Extended, note).map(drop)
}

/// A correction of the audit may have changed its rating.
fn reschedule(tx: &mut Tx, before: Assignment, from_at: At, due_at: At) -> Result<()> {
    if before.state != super::State::Open || (before.from_at, before.due_at) == (from_at, due_at) {
        return Ok(());
    }
    let row = Assignment { from_at, due_at, ..before.clone() };
    let details = json!({ "from_at": [before.from_at, from_at], "due_at": [before.due_at, due_at] });
    ledger::amend(tx, &before, row, Deed::Rescheduled, Note { details, ..Note::default() }).map(drop)
}

fn rating(judgement: &Judgement) -> Option<&str> {
    calculated(judgement, "rating")?.as_str()
}

/// A calculated value, by the name of its question.
pub(super) fn calculated<'j>(judgement: &'j Judgement, name: &str) -> Option<&'j serde_json::Value> {
    let is_it = |path: &str| path.rsplit('.').next() == Some(name);
    judgement.calculated.iter().find(|(path, _)| is_it(path)).map(|(_, value)| value)
}
