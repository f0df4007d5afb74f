//! Queries of the audit log. No update and no delete here: the triggers would refuse them.

use diesel::prelude::*;

use super::model::{NewEvent, RecordedEvent, Seal};
use crate::db::schema::{audit_events, audit_seals, audit_unsealed};
use crate::db::{DbConn, Later, each_backend, insert_all};
use crate::error::Result;

impl Later for NewEvent {
    fn write(conn: &mut DbConn, events: &[NewEvent]) -> Result<()> {
        match conn {
            DbConn::Sqlite(conn) => {
                for event in events {
                    diesel::insert_into(audit_events::table).values(event).execute(conn)?;
                }
            }
            DbConn::Postgres(conn) => {
                insert_all!(conn, audit_events, events, [
                    at: BigInt, account_id: Nullable<Text>, device_id: Nullable<Text>, action: Text, subject: Text, details: Text,
                ])?;
            }
        }
        Ok(())
    }
}

/// The events waiting for a seal, oldest number first. From the queue to the events: joined, SQLite walks through every event
/// there ever was to find those of the last half second in order.
pub(super) fn pending(conn: &mut DbConn, limit: i64) -> Result<Vec<RecordedEvent>> {
    let next = audit_unsealed::table.order(audit_unsealed::seq).limit(limit);
    let seqs: Vec<i64> = next.select(audit_unsealed::seq).load(conn)?;
    by_seq(conn, &seqs)
}

pub(super) fn last_seal(conn: &mut DbConn) -> Result<Option<Seal>> {
    Ok(audit_seals::table.order(audit_seals::n.desc()).select(Seal::as_select()).first(conn).optional()?)
}

pub(super) fn add_seal(conn: &mut DbConn, seal: &Seal) -> Result<()> {
    diesel::insert_into(audit_seals::table).values(seal).execute(conn)?;
    Ok(())
}

pub(super) fn leave_queue(conn: &mut DbConn, seqs: &[i64]) -> Result<()> {
    each_backend!(conn, |c| diesel::delete(audit_unsealed::table.filter(audit_unsealed::seq.eq_any(seqs)))
        .execute(c))?;
    Ok(())
}

pub(super) fn seals_after(conn: &mut DbConn, n: i64, limit: i64) -> Result<Vec<Seal>> {
    Ok(audit_seals::table
        .filter(audit_seals::n.gt(n))
        .order(audit_seals::n)
        .limit(limit)
        .select(Seal::as_select())
        .load(conn)?)
}

/// Those of the events with these numbers that still exist.
pub(super) fn by_seq(conn: &mut DbConn, seqs: &[i64]) -> Result<Vec<RecordedEvent>> {
    Ok(audit_events::table
        .filter(audit_events::seq.eq_any(seqs.to_vec()))
        .order(audit_events::seq)
        .select(RecordedEvent::as_select())
        .load(conn)?)
}

/// The numbers of all events after `seq`, in order.
pub(super) fn seqs_after(conn: &mut DbConn, seq: i64, limit: i64) -> Result<Vec<i64>> {
    Ok(audit_events::table
        .filter(audit_events::seq.gt(seq))
        .order(audit_events::seq)
        .limit(limit)
        .select(audit_events::seq)
        .load(conn)?)
}

pub(super) fn any_queued(conn: &mut DbConn) -> Result<bool> {
    let first: Option<i64> = audit_unsealed::table.select(audit_unsealed::seq).first(conn).optional()?;
    Ok(first.is_some())
}

pub(super) fn queued(conn: &mut DbConn) -> Result<Vec<i64>> {
    Ok(audit_unsealed::table.order(audit_unsealed::seq).select(audit_unsealed::seq).load(conn)?)
}

/// Which events a reader asks for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Events with a higher number than this.
    pub after: i64,
    /// So many at most.
    pub limit: i64,
    /// Only what was done to this: `submission:6f…`.
    pub subject: Option<String>,
    /// Only what this account did.
    pub account: Option<String>,
    /// Only deeds of this name: `submission.filed`.
    pub action: Option<String>,
    /// Without what was done to submissions and their files, findings and referrals.
    pub without_cases: bool,
}

pub(super) fn wanted(conn: &mut DbConn, wanted: &Wanted) -> Result<Vec<RecordedEvent>> {
    let mut query = audit_events::table
        .filter(audit_events::seq.gt(wanted.after))
        .order(audit_events::seq)
        .limit(wanted.limit)
        .select(RecordedEvent::as_select())
        .into_boxed();
    if let Some(subject) = &wanted.subject {
        query = query.filter(audit_events::subject.eq(subject.clone()));
    }
    if let Some(account) = &wanted.account {
        query = query.filter(audit_events::account_id.eq(account.clone()));
    }
    if let Some(action) = &wanted.action {
        query = query.filter(audit_events::action.eq(action.clone()));
    }
    if wanted.without_cases {
        query = query
            .filter(audit_events::subject.not_like("submission:%"))
            .filter(audit_events::subject.not_like("finding:%"))
            .filter(audit_events::subject.not_like("referral:%"));
    }
    Ok(query.load(conn)?)
}
