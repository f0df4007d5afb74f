//! Queries about flags: those raised late, and the visits a filer made before and after. A flag once raised stays.

use diesel::prelude::*;

use super::travel::Seen;
use crate::db::schema::{late_flags, submissions};
use crate::db::{At, DbConn, Json, each_backend, unnest};
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
    /// When it ended.
    pub(super) at: At,
}

/// The filer's last visit with a fix before this instant, and the first after it. One question on PostgreSQL, where
/// it is the way there and back that costs.
pub(super) fn neighbours(
    conn: &mut DbConn,
    account: &str,
    own: &SubmissionId,
    at: At,
) -> Result<Vec<OtherVisit>> {
    const VISIT: (
        submissions::id,
        submissions::revision,
        submissions::lat,
        submissions::lon,
        submissions::finished_at,
    ) = (
        submissions::id,
        submissions::revision,
        submissions::lat,
        submissions::lon,
        submissions::finished_at,
    );
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

/// The same for many visits that are not stored yet, in their order. Visits without a fix have no neighbours.
pub(super) fn neighbours_of_all(conn: &mut DbConn, visits: &[Seen]) -> Result<Vec<Vec<OtherVisit>>> {
    let DbConn::Postgres(conn) = conn else {
        return visits
            .iter()
            .map(|visit| match visit.point {
                Some(_) => neighbours(conn, visit.account, visit.id, visit.at),
                None => Ok(Vec::new()),
            })
            .collect();
    };
    let asked: Vec<Asked> = visits
        .iter()
        .zip(0..)
        .filter(|(visit, _)| visit.point.is_some())
        .map(|(visit, n)| Asked { n, account: visit.account, at: visit.at })
        .collect();
    let found = unnest!(&asked =>
        "SELECT w.n, s.id, s.revision, s.lat, s.lon, s.finished_at FROM"
        [n: Integer, account: Text, at: BigInt]
        "AS w (n, account, at) CROSS JOIN LATERAL (
            (SELECT id, revision, lat, lon, finished_at FROM submissions
             WHERE account_id = w.account AND finished_at <= w.at AND lat IS NOT NULL
             ORDER BY finished_at DESC, id DESC LIMIT 1)
            UNION ALL
            (SELECT id, revision, lat, lon, finished_at FROM submissions
             WHERE account_id = w.account AND finished_at > w.at AND lat IS NOT NULL
             ORDER BY finished_at, id LIMIT 1)
        ) AS s"
        -> (Integer, (Text, Integer, Nullable<Double>, Nullable<Double>, BigInt))
    );
    let mut all = vec![Vec::new(); visits.len()];
    for (n, visit) in found.load::<(i32, OtherVisit)>(conn)? {
        if let Some(found) = all.get_mut(n as usize) {
            found.push(visit);
        }
    }
    Ok(all)
}

/// A visit whose neighbours are asked for, as a row.
struct Asked<'a> {
    n: i32,
    account: &'a str,
    at: At,
}
