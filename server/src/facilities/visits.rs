//! Visits and risk, which higher rooms tell the register of: it knows nothing of submissions itself. A visit counts for the
//! facility that was named and, when that is merged, for the one that goes on in its stead.

use chrono::{DateTime, Utc};

use super::ledger::{self, Entry};
use super::model::{Deed, Facility, FacilityId, Risk, VisitRow};
use super::store;
use crate::db::{At, Tx};
use crate::error::Result;

/// Notes that a submission is a visit of a facility. A revision of it names it again; it is one visit all the same, of the
/// facility named last. A facility nobody has registered yet has its visits when it is registered.
pub fn visited(tx: &mut Tx, id: &FacilityId, at: DateTime<Utc>, submission: &str) -> Result<()> {
    let visit = VisitRow { submission_id: submission.to_owned(), facility_id: id.clone(), at: At::from(at) };
    let before = store::visit_of(tx.conn, submission)?;
    if before.as_ref().is_some_and(|before| before.facility_id == *id && before.at == visit.at) {
        return Ok(());
    }
    store::put_visit(tx.conn, &visit)?;
    recount(tx, id)?;
    match before.filter(|before| before.facility_id != *id) {
        Some(before) => recount(tx, &before.facility_id),
        None => Ok(()),
    }
}

/// Takes a visit back: the submission was rejected, or names no facility any more.
pub fn not_visited(tx: &mut Tx, submission: &str) -> Result<()> {
    let Some(visit) = store::visit_of(tx.conn, submission)? else { return Ok(()) };
    store::remove_visit(tx.conn, submission)?;
    recount(tx, &visit.facility_id)
}

/// Sets how closely a facility has to be watched.
pub fn rate(tx: &mut Tx, id: &FacilityId, risk: Risk) -> Result<()> {
    let Some(before) = survivor(tx, id)?.filter(|row| row.risk != Some(risk)) else { return Ok(()) };
    let mut row = before.clone();
    row.risk = Some(risk);
    ledger::touch(
        tx,
        &before,
        &mut row,
        Some(Entry { reason: Some(risk.to_string()), ..Entry::of(Deed::Rated) }),
    )
}

/// Counts the visits of a facility, or of the one that goes on in its stead, anew.
pub(super) fn recount(tx: &mut Tx, id: &FacilityId) -> Result<()> {
    let Some(before) = survivor(tx, id)? else { return Ok(()) };
    let absorbed = store::absorbed(tx.conn, &before.id)?;
    let group: Vec<String> =
        absorbed.iter().map(|row| row.id.to_string()).chain([before.id.to_string()]).collect();
    let (count, last) = store::visits(tx.conn, &group)?;
    let mut row = before.clone();
    row.visit_count = count as i32;
    row.last_visited_at = last;
    if row.visit_count == before.visit_count && row.last_visited_at == before.last_visited_at {
        return Ok(());
    }
    ledger::touch(tx, &before, &mut row, None)
}

fn survivor(tx: &mut Tx, id: &FacilityId) -> Result<Option<Facility>> {
    store::lock(tx.conn, &[id])?;
    let Some(row) = store::row(tx.conn, id)? else { return Ok(None) };
    let Some(other) = row.merged_into.clone() else { return Ok(Some(row)) };
    store::lock(tx.conn, &[&other])?;
    store::row(tx.conn, &other)
}
