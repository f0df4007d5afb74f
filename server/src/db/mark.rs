//! A mark left in each transaction of PostgreSQL that must not be done twice. When the connection breaks while it commits,
//! the mark tells afterwards whether it did: the row holds the number of the last transaction that stands.

use chrono::Duration;
use diesel::prelude::*;
use uuid::Uuid;

use super::connection::DbConn;
use super::schema::commit_marks;
use super::types::At;
use crate::error::Result;

/// Marks of processes that have not written for this long are swept away.
const KEPT_DAYS: i64 = 30;

pub(super) struct Mark {
    id: String,
    n: i64,
}

impl Mark {
    /// A mark of one connection's own. Sweeps those that were left behind.
    pub(super) fn new(conn: &mut DbConn, now: At) -> Result<Mark> {
        if let DbConn::Postgres(conn) = conn {
            let long_ago = At::from(now.utc() - Duration::days(KEPT_DAYS));
            diesel::delete(commit_marks::table.filter(commit_marks::at.lt(long_ago))).execute(conn)?;
        }
        Ok(Mark { id: Uuid::now_v7().to_string(), n: 0 })
    }

    /// Puts the next number into the transaction.
    pub(super) fn advance(&mut self, conn: &mut DbConn, now: At) -> Result<()> {
        let DbConn::Postgres(conn) = conn else { return Ok(()) };
        self.n += 1;
        let (n, at) = (commit_marks::n.eq(self.n), commit_marks::at.eq(now));
        diesel::insert_into(commit_marks::table)
            .values((commit_marks::id.eq(&self.id), n, at))
            .on_conflict(commit_marks::id)
            .do_update()
            .set((n, at))
            .execute(conn)?;
        Ok(())
    }

    /// Whether the transaction with the last number stands. Waits for it, should it be committing still.
    pub(super) fn stands(&self, conn: &mut DbConn) -> Result<bool> {
        let DbConn::Postgres(conn) = conn else { return Ok(false) };
        let last: Option<i64> =
            commit_marks::table.find(&self.id).select(commit_marks::n).for_update().first(conn).optional()?;
        Ok(last == Some(self.n))
    }
}
