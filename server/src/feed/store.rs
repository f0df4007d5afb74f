//! Queries of the feed. Changes are added and swept, never altered, but for their numbers after a restore.

use diesel::dsl::{max, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::mark::{Mark, of_snapshot};
use super::model::{NewRow, Row};
use crate::db::schema::{changes, feed_epochs};
use crate::db::{At, DbConn, Later, insert_all};
use crate::error::{Error, Result};

impl Later for NewRow {
    fn write(conn: &mut DbConn, rows: &[NewRow]) -> Result<()> {
        match conn {
            DbConn::Sqlite(conn) => {
                for row in rows {
                    diesel::insert_into(changes::table).values(row).execute(conn)?;
                }
            }
            DbConn::Postgres(conn) => {
                insert_all!(conn, changes, rows, [at: BigInt, what: Text, subject: Text, audience: Text])?;
            }
        }
        Ok(())
    }
}

/// What is visible now: the mark of somebody who has read everything.
pub(super) fn horizon(conn: &mut DbConn) -> Result<Mark> {
    match conn {
        DbConn::Sqlite(conn) => {
            let last = sql::<BigInt>("COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0)");
            let last: i64 = diesel::select(last).get_result(conn)?;
            Ok(Mark::new(last + 1, Vec::new()))
        }
        DbConn::Postgres(conn) => {
            let snapshot: String =
                diesel::select(sql::<Text>("pg_current_snapshot()::text")).get_result(conn)?;
            of_snapshot(&snapshot).ok_or_else(|| Error::internal("reading the database's snapshot", snapshot))
        }
    }
}

/// The changes with the highest numbers, in no order.
pub(super) fn latest(conn: &mut DbConn, limit: i64) -> Result<Vec<Row>> {
    Ok(changes::table.order(changes::xid.desc()).limit(limit).select(Row::as_select()).load(conn)?)
}

/// All changes from this number on.
pub(super) fn from(conn: &mut DbConn, xid: i64) -> Result<Vec<Row>> {
    Ok(changes::table
        .filter(changes::xid.ge(xid))
        .order((changes::xid, changes::seq))
        .select(Row::as_select())
        .load(conn)?)
}

/// The changes from this number on that are for one of these audiences.
pub(super) fn from_for(conn: &mut DbConn, xid: i64, audiences: &[String], limit: i64) -> Result<Vec<Row>> {
    Ok(changes::table
        .filter(changes::audience.eq_any(audiences.to_vec()))
        .filter(changes::xid.ge(xid))
        .order((changes::xid, changes::seq))
        .limit(limit)
        .select(Row::as_select())
        .load(conn)?)
}

pub(super) fn delete_before(conn: &mut DbConn, at: At) -> Result<usize> {
    Ok(diesel::delete(changes::table.filter(changes::at.lt(at))).execute(conn)?)
}

pub(super) fn highest(conn: &mut DbConn) -> Result<Option<i64>> {
    Ok(changes::table.select(max(changes::xid)).first(conn)?)
}

pub(super) fn epoch(conn: &mut DbConn) -> Result<i64> {
    let epoch: Option<i64> = feed_epochs::table.select(max(feed_epochs::epoch)).first(conn)?;
    Ok(epoch.unwrap_or_default())
}

/// Begins an epoch. On PostgreSQL the changes kept lose their numbers, which another cluster may have given.
pub(super) fn begin_epoch(conn: &mut DbConn, epoch: i64) -> Result<()> {
    let next = epoch.max(self::epoch(conn)? + 1);
    diesel::insert_into(feed_epochs::table).values(feed_epochs::epoch.eq(next)).execute(conn)?;
    if let DbConn::Postgres(conn) = conn {
        diesel::update(changes::table).set(changes::xid.eq(0)).execute(conn)?;
    }
    Ok(())
}
