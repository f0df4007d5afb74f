//! Queries about flags: those raised late, and the visits a filer made before and after. A flag once raised stays.

use diesel::prelude::*;

use crate::db::schema::{late_flags, submissions};
use crate::db::{At, DbConn, Json, each_backend};
use crate::error::Result;
use crate::submissions::model::SubmissionId;

/// A flag raised beside the judgement, as a row.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = late_flags)]
pub(super) struct LateFlag {
    pub(super) submission_id: SubmissionId,
    pub(super) revision: i32,
    pub(super) code: String,
    pub(super) subject: String,
    pub(super) figures: Json,
    pub(super) raised_at: At,
}

/// Adds the flag unless it stands already.
pub(super) fn raise(conn: &mut DbConn, flag: &LateFlag) -> Result<bool> {
    let raised = each_backend!(conn, |c| diesel::insert_into(late_flags::table)
        .values(flag)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(raised == 1)
}

/// The flags raised late for a revision, oldest first.
pub(super) fn raised(conn: &mut DbConn, id: &SubmissionId, revision: i32) -> Result<Vec<LateFlag>> {
    Ok(late_flags::table
        .filter(late_flags::submission_id.eq(id).and(late_flags::revision.eq(revision)))
        .order((late_flags::raised_at, late_flags::code, late_flags::subject))
        .select(LateFlag::as_select())
        .load(conn)?)
}

/// Moves the submission to its place among those that wait for a reviewer, if this revision still stands.
pub(super) fn set_rank(conn: &mut DbConn, id: &SubmissionId, revision: i32, rank: i32) -> Result<()> {
    diesel::update(submissions::table.find(id))
        .filter(submissions::revision.eq(revision))
        .set(submissions::queue_rank.eq(rank))
        .execute(conn)?;
    Ok(())
}

/// Another visit of the same filer, as its head says.
#[derive(Clone, Debug, Queryable)]
pub(super) struct OtherVisit {
    pub(super) id: SubmissionId,
    pub(super) revision: i32,
    pub(super) lat: Option<f64>,
    pub(super) lon: Option<f64>,
}

/// The filer's last visit with a fix before this instant, and the first after it. One question on PostgreSQL, where
/// it is the way there and back that costs.
pub(super) fn neighbours(
    conn: &mut DbConn,
    account: &str,
    own: &SubmissionId,
    at: At,
) -> Result<Vec<OtherVisit>> {
    const VISIT: (submissions::id, submissions::revision, submissions::lat, submissions::lon) =
        (submissions::id, submissions::revision, submissions::lat, submissions::lon);
    let before = submissions::table
        .filter(submissions::account_id.eq(account).and(submissions::finished_at.le(at)))
        .filter(submissions::id.ne(own).and(submissions::lat.is_not_null()))
        .order((submissions::finished_at.desc(), submissions::id.desc()))
        .limit(1)
        .select(VISIT);
    let after = submissions::table
        .filter(submissions::account_id.eq(account).and(submissions::finished_at.gt(at)))
        .filter(submissions::id.ne(own).and(submissions::lat.is_not_null()))
        .order((submissions::finished_at, submissions::id))
        .limit(1)
        .select(VISIT);
    match conn {
        DbConn::Postgres(conn) => Ok(before.union_all(after).load(conn)?),
        DbConn::Sqlite(conn) => {
            let mut visits: Vec<OtherVisit> = before.load(conn)?;
            visits.extend(after.load::<OtherVisit>(conn)?);
            Ok(visits)
        }
    }
}
