//! Queries of the forms room. No update and no delete here: a published release never changes.

use diesel::prelude::*;

use super::model::{ReleaseHead, ReleaseRow};
use crate::accounts::Kind;
use crate::db::DbConn;
use crate::db::schema::releases;
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
