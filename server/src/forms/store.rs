//! Queries of the forms room. No update and no delete here: a published release never changes, nor does what was decided about it.

use diesel::prelude::*;

use super::model::{EventRow, ReleaseHead, ReleaseRow};
use crate::accounts::Kind;
use crate::db::schema::{releases, rollout_events};
use crate::db::{DbConn, each_backend};
use crate::error::Result;

pub(super) fn release(conn: &mut DbConn, form: &str, version: u32) -> Result<Option<ReleaseRow>> {
    let Ok(version) = i32::try_from(version) else { return Ok(None) };
    Ok(releases::table
        .filter(releases::form.eq(form).and(releases::version.eq(version)))
        .select(ReleaseRow::as_select())
        .first(conn)
        .optional()?)
}

/// All releases without their packages: by form, newest first.
pub(super) fn heads(conn: &mut DbConn) -> Result<Vec<ReleaseHead>> {
    Ok(releases::table
        .order((releases::form, releases::version.desc()))
        .select(ReleaseHead::as_select())
        .load(conn)?)
}

/// Forms of these kinds, each once.
pub(super) fn codes_of(conn: &mut DbConn, kinds: &[Kind]) -> Result<Vec<String>> {
    Ok(releases::table
        .filter(releases::kind.eq_any(kinds.to_vec()))
        .select(releases::form)
        .distinct()
        .order(releases::form)
        .load(conn)?)
}

/// The number of the release of a form that has this content.
pub(super) fn version_with_hash(conn: &mut DbConn, form: &str, hash: &str) -> Result<Option<i32>> {
    Ok(releases::table
        .filter(releases::form.eq(form).and(releases::hash.eq(hash)))
        .select(releases::version)
        .first(conn)
        .optional()?)
}

pub(super) fn latest(conn: &mut DbConn, form: &str) -> Result<Option<ReleaseHead>> {
    Ok(releases::table
        .filter(releases::form.eq(form))
        .order(releases::version.desc())
        .select(ReleaseHead::as_select())
        .first(conn)
        .optional()?)
}

pub(super) fn insert(conn: &mut DbConn, release: &ReleaseRow) -> Result<()> {
    diesel::insert_into(releases::table).values(release).execute(conn)?;
    Ok(())
}

/// Everything that was decided about releases: by form, oldest first.
pub(super) fn events(conn: &mut DbConn) -> Result<Vec<EventRow>> {
    Ok(rollout_events::table
        .order((rollout_events::form, rollout_events::n))
        .select(EventRow::as_select())
        .load(conn)?)
}

/// The number of the next event of a form.
pub(super) fn next_event(conn: &mut DbConn, form: &str) -> Result<i32> {
    let last: Option<i32> = rollout_events::table
        .filter(rollout_events::form.eq(form))
        .order(rollout_events::n.desc())
        .select(rollout_events::n)
        .first(conn)
        .optional()?;
    Ok(last.map_or(1, |last| last + 1))
}

/// Adds an event; false: another process has just added one of this number.
pub(super) fn add_event(conn: &mut DbConn, event: &EventRow) -> Result<bool> {
    let added = each_backend!(conn, |c| diesel::insert_into(rollout_events::table)
        .values(event)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(added == 1)
}
