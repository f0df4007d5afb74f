//! Queries of the room. Events are only ever added; an assignment is put back only if it is as it was read.

use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable};

use super::filter::Filter;
use super::model::{Assignment, AssignmentId, EventRow, Origin, State};
use super::reading::Sight;
use crate::accounts::Kind;
use crate::db::schema::{assignment_events, assignments};
use crate::db::{DbConn, each_backend};
use crate::error::Result;

type Backend = <DbConn as diesel::Connection>::Backend;
type Condition = Box<dyn BoxableExpression<assignments::table, Backend, SqlType = Nullable<Bool>>>;

/// Everything the reader may see. Each reading query goes through here.
fn visible(sight: &Sight) -> Condition {
    match sight {
        Sight::Office { line, areas } => Box::new(
            assignments::line.eq(*line).and(
                assignments::province
                    .eq_any(areas.clone())
                    .or(assignments::division.eq_any(areas.clone()))
                    .or(assignments::district.eq_any(areas.clone())),
            ),
        ),
        Sight::Field { kind, account, pools } => Box::new(
            assignments::kind.eq(*kind).and(
                assignments::assignee
                    .eq(account.clone())
                    .or(assignments::completed_account.eq(account.clone()))
                    .or(assignments::assignee.is_null().and(assignments::pool.eq_any(pools.clone()))),
            ),
        ),
    }
}

/// What a phone holds of it: what is open, the person's own and what the person can take.
fn on_phone(sight: &Sight) -> Option<Condition> {
    let Sight::Field { kind, account, pools } = sight else { return None };
    let takeable = assignments::assignee
        .is_null()
        .and(assignments::pool.eq_any(pools.clone()))
        .and(assignments::not_for.not_like(format!("%{account}%")));
    let theirs = assignments::assignee.eq(account.clone()).or(takeable);
    Some(Box::new(assignments::kind.eq(*kind).and(assignments::state.eq(State::Open)).and(theirs)))
}

/// Adds an assignment; false: there is one for the same already.
pub(super) fn add(conn: &mut DbConn, row: &Assignment) -> Result<bool> {
    let added = each_backend!(conn, |c| {
        diesel::insert_into(assignments::table)
            .values(row)
            .on_conflict(assignments::once)
            .do_nothing()
            .execute(c)
    })?;
    Ok(added == 1)
}

/// Puts an assignment back; false: it is no longer the version that was read.
pub(super) fn update(conn: &mut DbConn, row: &Assignment, read: i32) -> Result<bool> {
    let unmoved = assignments::table.find(&row.id).filter(assignments::version.eq(read));
    Ok(diesel::update(unmoved).set(row).execute(conn)? == 1)
}

pub(super) fn add_event(conn: &mut DbConn, event: &EventRow) -> Result<()> {
    diesel::insert_into(assignment_events::table).values(event).execute(conn)?;
    Ok(())
}

/// What happened to an assignment, in order.
pub(super) fn events(conn: &mut DbConn, id: &AssignmentId) -> Result<Vec<EventRow>> {
    Ok(assignment_events::table
        .filter(assignment_events::assignment_id.eq(id))
        .order(assignment_events::n)
        .select(EventRow::as_select())
        .load(conn)?)
}

/// Every assignment, in the order in which they were made.
pub(super) fn all(conn: &mut DbConn) -> Result<Vec<Assignment>> {
    Ok(assignments::table
        .order((assignments::made_at, assignments::id))
        .select(Assignment::as_select())
        .load(conn)?)
}

/// Everything that happened to any assignment, in order.
pub(super) fn all_events(conn: &mut DbConn) -> Result<Vec<EventRow>> {
    Ok(assignment_events::table
        .order((assignment_events::assignment_id, assignment_events::n))
        .select(EventRow::as_select())
        .load(conn)?)
}

/// One assignment, if the reader may see it.
pub(super) fn visible_row(conn: &mut DbConn, id: &AssignmentId, sight: &Sight) -> Result<Option<Assignment>> {
    Ok(assignments::table
        .filter(assignments::id.eq(id.clone()))
        .filter(visible(sight))
        .select(Assignment::as_select())
        .first(conn)
        .optional()?)
}

/// Whether an assignment waited in a pool the reader takes from, and is somebody else's now.
pub(super) fn taken_from_pool(conn: &mut DbConn, id: &AssignmentId, sight: &Sight) -> Result<bool> {
    let Sight::Field { kind, pools, .. } = sight else { return Ok(false) };
    let theirs = assignments::table
        .filter(assignments::id.eq(id.clone()).and(assignments::kind.eq(*kind)))
        .filter(assignments::assignee.is_not_null().and(assignments::pool.eq_any(pools.clone())));
    Ok(diesel::select(diesel::dsl::exists(theirs)).get_result(conn)?)
}

/// A page of assignments, what is due soonest first.
pub(super) fn page(conn: &mut DbConn, filter: &Filter, sight: &Sight) -> Result<Vec<Assignment>> {
    let mut query = assignments::table
        .filter(visible(sight))
        .order((assignments::due_at, assignments::id))
        .limit(filter.limit)
        .select(Assignment::as_select())
        .into_boxed();
    if let Some((at, id)) = &filter.after {
        let later = assignments::due_at.gt(*at);
        query = query.filter(later.or(assignments::due_at.eq(*at).and(assignments::id.gt(id.clone()))));
    }
    if let Some(state) = filter.state {
        query = query.filter(assignments::state.eq(state));
    }
    if let Some(district) = &filter.district {
        query = query.filter(assignments::district.eq(district.clone()));
    }
    if let Some(assignee) = &filter.assignee {
        query = query.filter(assignments::assignee.eq(assignee.clone()));
    }
    if let Some(facilities) = &filter.facilities {
        query = query.filter(assignments::facility.eq_any(facilities.clone()));
    }
    if let Some(now) = filter.overdue_at {
        query = query.filter(assignments::state.eq(State::Open)).filter(assignments::due_at.lt(now));
    }
    Ok(query.load(conn)?)
}

/// What a phone holds, by id, after this one.
pub(super) fn phone_page(
    conn: &mut DbConn,
    sight: &Sight,
    after: &str,
    limit: i64,
) -> Result<Vec<Assignment>> {
    let Some(theirs) = on_phone(sight) else { return Ok(Vec::new()) };
    Ok(assignments::table
        .filter(assignments::id.gt(after.to_owned()))
        .filter(theirs)
        .order(assignments::id)
        .limit(limit)
        .select(Assignment::as_select())
        .load(conn)?)
}

/// Of these assignments those a phone holds.
pub(super) fn phone_rows(conn: &mut DbConn, ids: &[String], sight: &Sight) -> Result<Vec<Assignment>> {
    let Some(theirs) = on_phone(sight) else { return Ok(Vec::new()) };
    Ok(assignments::table
        .filter(assignments::id.eq_any(ids.to_vec()))
        .filter(theirs)
        .order(assignments::id)
        .select(Assignment::as_select())
        .load(conn)?)
}

/// The open assignments of a kind at a facility known under any of these ids, oldest first. They stay as they are until
/// this unit of work is done.
pub(super) fn open_at(conn: &mut DbConn, names: &[String], kind: Kind) -> Result<Vec<Assignment>> {
    // On SQLite there is one writer anyway.
    if let DbConn::Postgres(conn) = conn {
        assignments::table
            .filter(assignments::facility.eq_any(names.to_vec()))
            .filter(assignments::state.eq(State::Open).and(assignments::kind.eq(kind)))
            .order(assignments::id)
            .select(assignments::id)
            .for_update()
            .load::<String>(conn)?;
    }
    Ok(assignments::table
        .filter(assignments::facility.eq_any(names.to_vec()))
        .filter(assignments::state.eq(State::Open).and(assignments::kind.eq(kind)))
        .order((assignments::made_at, assignments::id))
        .select(Assignment::as_select())
        .load(conn)?)
}

/// The assignments a submission completed. They stay as they are until this unit of work is done.
pub(super) fn completed_by(conn: &mut DbConn, submission: &str) -> Result<Vec<Assignment>> {
    if let DbConn::Postgres(conn) = conn {
        assignments::table
            .filter(assignments::completed_by.eq(submission.to_owned()))
            .order(assignments::id)
            .select(assignments::id)
            .for_update()
            .load::<String>(conn)?;
    }
    Ok(assignments::table
        .filter(assignments::completed_by.eq(submission.to_owned()))
        .order(assignments::id)
        .select(Assignment::as_select())
        .load(conn)?)
}

/// What was made for this finding or audit, and not taken back, oldest first.
pub(super) fn born_of(conn: &mut DbConn, origin: Origin, of: &str) -> Result<Vec<Assignment>> {
    Ok(assignments::table
        .filter(assignments::origin_id.eq(of.to_owned()).and(assignments::origin.eq(origin)))
        .filter(assignments::state.ne(State::Cancelled))
        .order((assignments::made_at, assignments::id))
        .select(Assignment::as_select())
        .load(conn)?)
}

/// The facilities of a district at which a visit of this kind is assigned, each with where that comes from.
pub(super) fn assigned_in(
    conn: &mut DbConn,
    district: &str,
    kind: Kind,
) -> Result<Vec<(String, Origin, Option<String>)>> {
    Ok(assignments::table
        .filter(assignments::district.eq(district.to_owned()))
        .filter(assignments::state.eq(State::Open).and(assignments::kind.eq(kind)))
        .select((assignments::facility, assignments::origin, assignments::origin_id))
        .load(conn)?)
}

/// The assignment that was made once for this.
pub(super) fn made_for(conn: &mut DbConn, once: &str) -> Result<Option<Assignment>> {
    Ok(assignments::table
        .filter(assignments::once.eq(once.to_owned()))
        .select(Assignment::as_select())
        .first(conn)
        .optional()?)
}
