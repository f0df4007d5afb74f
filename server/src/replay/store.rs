//! Queries of the room. A replay's report is written once; the counts of its stretches go when it has one.

use diesel::prelude::*;

use super::model::{PartRow, ReplayId, ReplayRow, ReplayState};
use crate::db::schema::{replay_parts, replays};
use crate::db::{At, DbConn, Packed, each_backend};
use crate::error::Result;

pub(super) fn insert(conn: &mut DbConn, row: &ReplayRow) -> Result<()> {
    diesel::insert_into(replays::table).values(row).execute(conn)?;
    Ok(())
}

pub(super) fn replay(conn: &mut DbConn, id: &ReplayId) -> Result<Option<ReplayRow>> {
    Ok(replays::table.find(id).select(ReplayRow::as_select()).first(conn).optional()?)
}

/// How many have not ended.
pub(super) fn under_way(conn: &mut DbConn) -> Result<i64> {
    let not_ended = [ReplayState::Waiting, ReplayState::Running];
    Ok(replays::table.filter(replays::state.eq_any(not_ended)).count().get_result(conn)?)
}

/// Those of a package, the newest first.
pub(super) fn of(conn: &mut DbConn, package_hash: &str) -> Result<Vec<ReplayRow>> {
    Ok(replays::table
        .filter(replays::package_hash.eq(package_hash))
        .order(replays::id.desc())
        .limit(100)
        .select(ReplayRow::as_select())
        .load(conn)?)
}

/// Which replays a reader wants, the newest first.
pub(super) struct Wanted {
    pub(super) form: Option<String>,
    pub(super) package: Option<String>,
    pub(super) after: Option<String>,
    pub(super) limit: i64,
}

pub(super) fn wanted(conn: &mut DbConn, wanted: &Wanted) -> Result<Vec<ReplayRow>> {
    let mut query = replays::table
        .order(replays::id.desc())
        .limit(wanted.limit)
        .select(ReplayRow::as_select())
        .into_boxed();
    if let Some(form) = &wanted.form {
        query = query.filter(replays::form.eq(form.clone()));
    }
    if let Some(package) = &wanted.package {
        query = query.filter(replays::package_hash.eq(package.clone()));
    }
    if let Some(after) = &wanted.after {
        query = query.filter(replays::id.lt(after.clone()));
    }
    Ok(query.load(conn)?)
}

/// Notes that it has begun, and how much there is to do.
pub(super) fn begin(conn: &mut DbConn, id: &ReplayId, total: i64, bound: Option<String>) -> Result<()> {
    diesel::update(replays::table.find(id))
        .set((replays::state.eq(ReplayState::Running), replays::total.eq(total), replays::bound.eq(bound)))
        .execute(conn)?;
    Ok(())
}

/// Notes a stretch and how far it led. False: another process was there first.
pub(super) fn advance(conn: &mut DbConn, part: &PartRow, done: i64, last_id: &str) -> Result<bool> {
    let added = each_backend!(conn, |c| diesel::insert_into(replay_parts::table)
        .values(part)
        .on_conflict_do_nothing()
        .execute(c))?;
    if added == 1 {
        diesel::update(replays::table.find(&part.replay_id))
            .set((replays::done.eq(done), replays::last_id.eq(last_id)))
            .execute(conn)?;
    }
    Ok(added == 1)
}

/// The number of the next stretch.
pub(super) fn next_part(conn: &mut DbConn, id: &ReplayId) -> Result<i32> {
    let last: Option<i32> = replay_parts::table
        .filter(replay_parts::replay_id.eq(id))
        .order(replay_parts::n.desc())
        .select(replay_parts::n)
        .first(conn)
        .optional()?;
    Ok(last.map_or(0, |last| last + 1))
}

/// The counts of all stretches, in order.
pub(super) fn parts(conn: &mut DbConn, id: &ReplayId) -> Result<Vec<PartRow>> {
    Ok(replay_parts::table
        .filter(replay_parts::replay_id.eq(id))
        .order(replay_parts::n)
        .select(PartRow::as_select())
        .load(conn)?)
}

/// Writes the report, and clears away what it was added up from.
pub(super) fn end(conn: &mut DbConn, id: &ReplayId, at: At, report: Packed, hash: &str) -> Result<()> {
    diesel::update(replays::table.find(id))
        .set((
            replays::state.eq(ReplayState::Done),
            replays::ended_at.eq(Some(at)),
            replays::report.eq(Some(report)),
            replays::report_hash.eq(Some(hash.to_owned())),
        ))
        .execute(conn)?;
    clear(conn, id)
}

/// Notes that it cannot be done, and why.
pub(super) fn fail(conn: &mut DbConn, id: &ReplayId, at: At, problem: &str) -> Result<()> {
    diesel::update(replays::table.find(id))
        .set((
            replays::state.eq(ReplayState::Failed),
            replays::ended_at.eq(Some(at)),
            replays::problem.eq(Some(problem.to_owned())),
        ))
        .execute(conn)?;
    clear(conn, id)
}

fn clear(conn: &mut DbConn, id: &ReplayId) -> Result<()> {
    diesel::delete(replay_parts::table.filter(replay_parts::replay_id.eq(id))).execute(conn)?;
    Ok(())
}
