//! Looking releases up inside a unit of work, whatever a process remembers.

use form_engine::Package;

use super::plan::Plan;
use super::store;
use crate::db::{At, DbConn};
use crate::error::Result;

/// The number of a form's last release, whoever gets it; none: it has none.
pub fn latest_version(conn: &mut DbConn, form: &str) -> Result<Option<i32>> {
    Ok(store::latest(conn, form)?.map(|head| head.version))
}

/// The number of a form's last release that was not taken back; none: it has none.
pub fn standing_version(conn: &mut DbConn, form: &str) -> Result<Option<i32>> {
    // What was taken back does not depend on the hour.
    let plan = Plan::read(conn, At::from_micros(0))?;
    let standing =
        plan.form(form).and_then(|form| form.releases.iter().find(|it| it.rollout.taken.is_none()));
    Ok(standing.map(|it| it.head.version))
}

/// A release's package.
pub fn package(conn: &mut DbConn, form: &str, version: i32) -> Result<Option<Package>> {
    let Ok(version) = u32::try_from(version) else { return Ok(None) };
    store::release(conn, form, version)?.map(|row| row.package.read()).transpose()
}
