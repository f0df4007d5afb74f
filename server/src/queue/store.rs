//! Queries of the queue. Whatever ends or prolongs a job names the claim it was taken by: a process that was too slow,
//! and whose job another one has, finds no row.

use diesel::prelude::*;

use super::Wanted;
use super::model::{JobRow, JobState, Task};
use crate::db::schema::jobs;
use crate::db::{At, DbConn, Later, insert_all};
use crate::error::Result;

/// Adds jobs; where one with its key stands already, that one is marked as asked for again.
impl Later for JobRow {
    fn write(conn: &mut DbConn, rows: &[JobRow]) -> Result<()> {
        match conn {
            DbConn::Sqlite(conn) => {
                for row in rows {
                    diesel::insert_into(jobs::table)
                        .values(row)
                        .on_conflict((jobs::kind, jobs::once_key))
                        .do_update()
                        .set(jobs::again.eq(true))
                        .execute(conn)?;
                }
            }
            DbConn::Postgres(conn) => {
                insert_all!(conn, jobs, once_each(rows), [
                    id: Text, kind: Text, subject: Text, details: Text, once_key: Nullable<Text>, state: Text, attempts: Integer,
                    due_at: BigInt, created_at: BigInt, claim: Nullable<Text>, again: Bool, last_error: Nullable<Text>,
                ], "ON CONFLICT (kind, once_key) DO UPDATE SET again = TRUE")?;
            }
        }
        Ok(())
    }
}

/// Of jobs with the same key the first: one statement may meet a row once. In the order of their keys, so that no two
/// transactions wait for each other.
fn once_each(rows: &[JobRow]) -> Vec<&JobRow> {
    let mut rows: Vec<&JobRow> = rows.iter().collect();
    rows.sort_by_key(|row| (&row.kind, &row.once_key));
    rows.dedup_by(|later, first| {
        later.once_key.is_some() && later.kind == first.kind && later.once_key == first.once_key
    });
    rows
}

/// Takes up to `limit` jobs of these kinds that are due, under `claim`, until `until`. What another process is taking
/// at this moment is left to it.
pub(super) fn take(
    conn: &mut DbConn,
    kinds: &[&str],
    now: At,
    limit: i64,
    claim: &str,
    until: At,
) -> Result<Vec<JobRow>> {
    let due = jobs::table
        .filter(jobs::state.ne(JobState::Parked).and(jobs::due_at.le(now)))
        .filter(jobs::kind.eq_any(kinds))
        .order((jobs::due_at, jobs::id))
        .limit(limit)
        .select(jobs::id);
    let ids: Vec<String> = match conn {
        DbConn::Sqlite(conn) => due.load(conn)?,
        DbConn::Postgres(conn) => due.for_update().skip_locked().load(conn)?,
    };
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    diesel::update(jobs::table.filter(jobs::id.eq_any(&ids)))
        .set((
            jobs::state.eq(JobState::Running),
            jobs::attempts.eq(jobs::attempts + 1),
            jobs::claim.eq(Some(claim)),
            jobs::due_at.eq(until),
            jobs::again.eq(false),
        ))
        .execute(conn)?;
    Ok(jobs::table.filter(jobs::id.eq_any(&ids)).order(jobs::id).select(JobRow::as_select()).load(conn)?)
}

/// Makes due what waits for an instant no clock that goes right could have set: left behind under a clock that has been set
/// back since. A lease never ends later than `lease`, a repeated attempt never begins later than `attempt`.
pub(super) fn mend(conn: &mut DbConn, now: At, lease: At, attempt: At) -> Result<usize> {
    let far = jobs::created_at
        .gt(now)
        .or(jobs::state.eq(JobState::Running).and(jobs::due_at.gt(lease)))
        .or(jobs::attempts.gt(0).and(jobs::due_at.gt(attempt)));
    let open = jobs::table.filter(jobs::state.ne(JobState::Parked).and(jobs::due_at.gt(now)));
    Ok(diesel::update(open.filter(far))
        .set((jobs::due_at.eq(now), jobs::created_at.eq(now)))
        .execute(conn)?)
}

/// Prolongs the lease; false: the job is somebody else's now.
pub(super) fn keep(conn: &mut DbConn, id: &str, claim: &str, until: At) -> Result<bool> {
    let kept = diesel::update(jobs::table.filter(jobs::id.eq(id).and(jobs::claim.eq(claim))))
        .set(jobs::due_at.eq(until))
        .execute(conn)?;
    Ok(kept == 1)
}

/// Removes a job that is done, unless it was asked for again meanwhile.
pub(super) fn remove(conn: &mut DbConn, id: &str, claim: &str) -> Result<bool> {
    let mine = jobs::id.eq(id).and(jobs::claim.eq(claim)).and(jobs::again.eq(false));
    Ok(diesel::delete(jobs::table.filter(mine)).execute(conn)? == 1)
}

/// Lets a job wait for its next run, which is a first attempt again; one that was asked for again meanwhile waits for
/// nothing.
pub(super) fn renew(conn: &mut DbConn, id: &str, claim: &str, at: At, now: At) -> Result<bool> {
    // Somebody may ask for it between the first two, and then the third finds it.
    Ok(renew_where(conn, id, claim, true, now)?
        || renew_where(conn, id, claim, false, at)?
        || renew_where(conn, id, claim, true, now)?)
}

fn renew_where(conn: &mut DbConn, id: &str, claim: &str, again: bool, at: At) -> Result<bool> {
    let mine = jobs::id.eq(id).and(jobs::claim.eq(claim)).and(jobs::again.eq(again));
    let renewed = diesel::update(jobs::table.filter(mine))
        .set((
            jobs::state.eq(JobState::Waiting),
            jobs::attempts.eq(0),
            jobs::claim.eq(None::<String>),
            jobs::due_at.eq(at),
            jobs::last_error.eq(None::<String>),
        ))
        .execute(conn)?;
    Ok(renewed == 1)
}

/// Notes that an attempt failed; the job waits until `at` or is parked.
pub(super) fn failed(
    conn: &mut DbConn,
    id: &str,
    claim: &str,
    state: JobState,
    at: At,
    why: &str,
) -> Result<bool> {
    let noted = diesel::update(jobs::table.filter(jobs::id.eq(id).and(jobs::claim.eq(claim))))
        .set((
            jobs::state.eq(state),
            jobs::claim.eq(None::<String>),
            jobs::due_at.eq(at),
            jobs::last_error.eq(Some(why)),
        ))
        .execute(conn)?;
    Ok(noted == 1)
}

/// Has a job that waits be run no later than at an instant.
pub(super) fn hasten(conn: &mut DbConn, kind: &str, key: &str, at: At) -> Result<()> {
    let waiting = jobs::kind.eq(kind).and(jobs::once_key.eq(key)).and(jobs::state.eq(JobState::Waiting));
    diesel::update(jobs::table.filter(waiting.and(jobs::due_at.gt(at))))
        .set(jobs::due_at.eq(at))
        .execute(conn)?;
    Ok(())
}

/// Whether a job of this kind and subject was left behind before this one and is neither done nor parked.
pub(super) fn any_earlier(conn: &mut DbConn, task: &Task) -> Result<bool> {
    let at = At::from(task.created_at);
    let before = jobs::created_at.lt(at).or(jobs::created_at.eq(at).and(jobs::id.lt(task.id.clone())));
    let earlier = jobs::table
        .filter(jobs::kind.eq(task.kind.clone()).and(jobs::subject.eq(task.subject.clone())))
        .filter(jobs::state.ne(JobState::Parked).and(before));
    Ok(diesel::select(diesel::dsl::exists(earlier)).get_result(conn)?)
}

pub(super) fn job(conn: &mut DbConn, id: &str) -> Result<Option<JobRow>> {
    Ok(jobs::table.find(id).select(JobRow::as_select()).first(conn).optional()?)
}

/// Makes a job due that does not run; false: it runs.
pub(super) fn make_due(conn: &mut DbConn, id: &str, now: At) -> Result<bool> {
    let made = diesel::update(jobs::table.filter(jobs::id.eq(id).and(jobs::state.ne(JobState::Running))))
        .set((jobs::state.eq(JobState::Waiting), jobs::attempts.eq(0), jobs::due_at.eq(now)))
        .execute(conn)?;
    Ok(made == 1)
}

/// Ends the lease of every job that runs.
pub(super) fn make_running_due(conn: &mut DbConn, now: At) -> Result<usize> {
    let running = jobs::table.filter(jobs::state.eq(JobState::Running));
    Ok(diesel::update(running).set(jobs::due_at.eq(now)).execute(conn)?)
}

/// A page of jobs, oldest first.
pub(super) fn wanted(conn: &mut DbConn, wanted: &Wanted) -> Result<Vec<JobRow>> {
    let mut query = jobs::table
        .filter(jobs::id.gt(wanted.after.clone()))
        .order(jobs::id)
        .limit(wanted.limit)
        .select(JobRow::as_select())
        .into_boxed();
    if let Some(state) = wanted.state {
        query = query.filter(jobs::state.eq(state));
    }
    if let Some(kind) = &wanted.kind {
        query = query.filter(jobs::kind.eq(kind.clone()));
    }
    Ok(query.load(conn)?)
}

/// All jobs of a kind, in the order in which they were left behind.
pub(super) fn of_kind(conn: &mut DbConn, kind: &str) -> Result<Vec<JobRow>> {
    Ok(jobs::table
        .filter(jobs::kind.eq(kind))
        .order((jobs::created_at, jobs::id))
        .select(JobRow::as_select())
        .load(conn)?)
}

/// How many jobs stand in this state.
pub(super) fn count(conn: &mut DbConn, state: JobState) -> Result<i64> {
    Ok(jobs::table.filter(jobs::state.eq(state)).count().get_result(conn)?)
}

/// Since when the oldest waiting job could have been run.
pub(super) fn oldest_due(conn: &mut DbConn, now: At) -> Result<Option<At>> {
    Ok(jobs::table
        .filter(jobs::state.ne(JobState::Parked).and(jobs::due_at.le(now)))
        .order((jobs::due_at, jobs::id))
        .select(jobs::due_at)
        .first(conn)
        .optional()?)
}
