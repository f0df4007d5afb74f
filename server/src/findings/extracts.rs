//! What the rooms above ask of findings: what is open at a facility, its history for the phone, and what speaks for a
//! visit. They enforce for themselves who is shown it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::model::{Case, FindingId, Severity, State};
use super::reading::Sight;
use super::{known_as, store};
use crate::accounts::{Actor, Kind};
use crate::db::{At, DbConn};
use crate::error::Result;

/// How many open findings of one facility are told.
const MOST: i64 = 200;

/// A finding that is not finished.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct OpenFinding {
    /// Its id.
    pub id: FindingId,
    /// The rule.
    pub code: String,
    /// As people see it now.
    pub severity: Severity,
    /// Where it stands.
    pub state: State,
    /// Whether an answer is missing.
    pub provisional: bool,
    /// When it is due; the year 9999 if never.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub due_at: At,
    /// How often it had been put right before.
    pub recurrence: i32,
}

/// The findings of a facility, from visits of a kind, that are not finished, what is due soonest first; at most 200.
pub fn open_for_facility(conn: &mut DbConn, facility: &str, kind: Kind) -> Result<Vec<OpenFinding>> {
    let places = known_as(conn, facility)?;
    let cases = store::unfinished_at(conn, &places, kind, MOST)?;
    Ok(cases.into_iter().map(open).collect())
}

fn open(case: Case) -> OpenFinding {
    OpenFinding {
        id: case.id,
        code: case.code,
        severity: case.severity,
        state: case.state,
        provisional: case.provisional,
        due_at: case.due_at,
        recurrence: case.recurrence,
    }
}

/// What a phone must know of a facility's findings before the next visit: `{open_findings, open: [{code, severity,
/// state, due_at, recurrence}], counts: {state: n}}`. Only from visits of a kind: the lines do not read each other. Nothing
/// about any child.
pub fn history_extract(conn: &mut DbConn, facility: &str, kind: Kind) -> Result<Value> {
    let open: Vec<Value> = open_for_facility(conn, facility, kind)?
        .iter()
        .map(|finding| {
            json!({
                "code": finding.code, "severity": finding.severity, "state": finding.state,
                "due_at": finding.due_at, "recurrence": finding.recurrence,
            })
        })
        .collect();
    let places = known_as(conn, facility)?;
    let counts: BTreeMap<&str, i64> =
        store::tally(conn, &places, kind)?.into_iter().map(|(state, n)| (state.as_str(), n)).collect();
    let unfinished = [State::Open, State::Acknowledged, State::Referred, State::Remedied];
    let total: i64 = unfinished.iter().filter_map(|state| counts.get(state.as_str())).sum();
    Ok(json!({ "open_findings": total, "open": open, "counts": counts }))
}

/// A finding somebody names: what kind of visit it came from, and where it is.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its id.
    pub id: FindingId,
    /// What sort of form showed it.
    pub kind: Kind,
    /// The facility, as the submission names it.
    pub facility: Option<String>,
}

/// The finding with this id, if this person may see it.
pub fn readable(conn: &mut DbConn, id: &FindingId, actor: &Actor) -> Result<Option<Named>> {
    let case = store::visible_case(conn, id, &Sight::of(actor))?;
    Ok(case.map(|case| Named { id: case.id, kind: case.kind, facility: case.facility }))
}

/// How many of these findings are said to be put right and wait for somebody who checks it.
pub fn awaiting_proof(conn: &mut DbConn, ids: &[String]) -> Result<usize> {
    store::standing(conn, ids, State::Remedied).map(|count| usize::try_from(count).unwrap_or(0))
}

/// What speaks for visiting a facility, as far as findings go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RiskTerms {
    /// How many are still to be put right, by severity.
    pub open: BTreeMap<Severity, u32>,
    /// How many of them are overdue.
    pub overdue: u32,
    /// How often they had been put right before, all together.
    pub recurrence: u32,
    /// How many there are of each rule.
    pub codes: BTreeMap<String, u32>,
}

/// The terms of every facility of a district that has findings to be put right, by facility as it was named when they were
/// found: whoever knows of merged facilities adds theirs together.
pub fn risk_terms(conn: &mut DbConn, district: &str, now: At) -> Result<BTreeMap<String, RiskTerms>> {
    let mut terms: BTreeMap<String, RiskTerms> = BTreeMap::new();
    for (facility, code, severity, recurrence, due_at, paused_at) in store::running_in(conn, district)? {
        let Some(facility) = facility else { continue };
        let term = terms.entry(facility).or_default();
        *term.open.entry(severity).or_default() += 1;
        *term.codes.entry(code).or_default() += 1;
        term.overdue += u32::from(paused_at.is_none() && due_at < now);
        term.recurrence += u32::try_from(recurrence).unwrap_or(0);
    }
    Ok(terms)
}
