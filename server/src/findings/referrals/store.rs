//! Queries of referrals. Whoever reads goes through `visible`: senders see what they may see of the findings, receivers
//! what is addressed to them.

use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable};

use super::filter::Filter;
use super::model::{Referral, ReferralId, ReferralState};
use super::sight::{ReceiverSight, ReferralSight};
use crate::accounts::{Kind, Scope};
use crate::db::schema::{finding_cases, referrals};
use crate::db::{At, DbConn};
use crate::error::Result;
use crate::findings::model::FindingId;

pub(super) fn insert(conn: &mut DbConn, referral: &Referral) -> Result<()> {
    diesel::insert_into(referrals::table).values(referral).execute(conn)?;
    Ok(())
}

/// Puts a referral back; false: it is no longer the version that was read.
pub(super) fn update(conn: &mut DbConn, referral: &Referral, read: i32) -> Result<bool> {
    let unmoved = referrals::table.find(&referral.id).filter(referrals::version.eq(read));
    Ok(diesel::update(unmoved).set(referral).execute(conn)? == 1)
}

/// The referrals of a finding, oldest first.
pub(super) fn of_finding(conn: &mut DbConn, finding: &FindingId) -> Result<Vec<Referral>> {
    Ok(referrals::table
        .filter(referrals::finding_id.eq(finding))
        .order((referrals::sent_at, referrals::id))
        .select(Referral::as_select())
        .load(conn)?)
}

/// Every referral, in the order in which they were sent.
pub(super) fn all(conn: &mut DbConn) -> Result<Vec<Referral>> {
    Ok(referrals::table
        .order((referrals::sent_at, referrals::id))
        .select(Referral::as_select())
        .load(conn)?)
}

/// Whether the number is another referral's.
pub(super) fn is_taken(conn: &mut DbConn, case_number: &str) -> Result<bool> {
    let found: Option<ReferralId> = referrals::table
        .filter(referrals::case_number.eq(case_number))
        .select(referrals::id)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}

/// How many case numbers begin so.
pub(super) fn numbered(conn: &mut DbConn, prefix: &str) -> Result<i64> {
    let upper = format!("{prefix}\u{7f}");
    Ok(referrals::table
        .filter(referrals::case_number.ge(prefix).and(referrals::case_number.lt(upper)))
        .count()
        .get_result(conn)?)
}

/// Referrals whose receivers should have answered by now.
pub(super) fn alarms(conn: &mut DbConn, now: At, limit: i64) -> Result<Vec<Referral>> {
    Ok(referrals::table
        .filter(referrals::alarm_at.le(now))
        .order(referrals::alarm_at)
        .limit(limit)
        .select(Referral::as_select())
        .load(conn)?)
}

/// When the next receiver should have answered.
pub(super) fn next_alarm(conn: &mut DbConn) -> Result<Option<At>> {
    let first: Option<Option<At>> = referrals::table
        .filter(referrals::alarm_at.is_not_null())
        .order(referrals::alarm_at)
        .select(referrals::alarm_at)
        .first(conn)
        .optional()?;
    Ok(first.flatten())
}

type Backend = <DbConn as diesel::Connection>::Backend;
type Condition = Box<dyn BoxableExpression<referrals::table, Backend, SqlType = Nullable<Bool>>>;

fn in_areas(areas: &[String]) -> Condition {
    let areas = || areas.to_vec();
    Box::new(
        referrals::province
            .eq_any(areas())
            .or(referrals::division.eq_any(areas()))
            .or(referrals::district.eq_any(areas())),
    )
}

/// What of `kind` those on the sender's side may see.
fn sent_from(kind: Kind, scope: Scope, reader: &ReferralSight) -> Option<Condition> {
    let of_kind = referrals::kind.eq(kind);
    match scope {
        Scope::Nothing | Scope::Aggregates => None,
        Scope::Everything => Some(Box::new(of_kind.nullable())),
        Scope::Own => {
            let me = || reader.account.clone();
            let mine = finding_cases::table
                .filter(finding_cases::opened_by.eq(me()).or(finding_cases::filed_by.eq(me())))
                .select(finding_cases::id);
            let own = referrals::sent_by.eq(me()).or(referrals::finding_id.eq_any(mine));
            Some(Box::new(of_kind.and(own).nullable()))
        }
        Scope::Areas => Some(Box::new(of_kind.nullable().and(in_areas(&reader.areas)))),
    }
}

/// What is addressed to the reader. What waits for a supervisor, or was taken back, never reached anybody.
fn addressed_to(receiver: &ReceiverSight, areas: &[String]) -> Condition {
    let sent =
        vec![ReferralState::Sent, ReferralState::Accepted, ReferralState::Declined, ReferralState::Done];
    let reached = referrals::state.eq_any(sent).nullable();
    match receiver {
        ReceiverSight::Unit(unit) => Box::new(reached.and(referrals::unit.eq(unit.clone()))),
        ReceiverSight::Office(body) => Box::new(reached.and(referrals::body.eq(*body)).and(in_areas(areas))),
    }
}

fn visible(reader: &ReferralSight) -> Condition {
    let nothing: Condition = Box::new(referrals::body.eq("").nullable());
    let senders = reader.scopes.iter().filter_map(|(kind, scope)| sent_from(*kind, *scope, reader));
    let receiver = reader.receives.iter().map(|receiver| addressed_to(receiver, &reader.areas));
    senders.chain(receiver).fold(nothing, |all, one| Box::new(all.or(one)))
}

/// One referral, if the reader may see it.
pub(super) fn visible_one(
    conn: &mut DbConn,
    id: &ReferralId,
    reader: &ReferralSight,
) -> Result<Option<Referral>> {
    Ok(referrals::table
        .filter(referrals::id.eq(id.clone()))
        .filter(visible(reader))
        .select(Referral::as_select())
        .first(conn)
        .optional()?)
}

/// A page of referrals, newest first.
pub(super) fn page(conn: &mut DbConn, filter: &Filter, reader: &ReferralSight) -> Result<Vec<Referral>> {
    let mut query = referrals::table
        .filter(visible(reader))
        .order((referrals::sent_at.desc(), referrals::id.desc()))
        .limit(filter.limit)
        .select(Referral::as_select())
        .into_boxed();
    if let Some((at, id)) = &filter.after {
        let earlier = referrals::sent_at.lt(*at);
        query = query.filter(earlier.or(referrals::sent_at.eq(*at).and(referrals::id.lt(id.clone()))));
    }
    if let Some(state) = filter.state {
        query = query.filter(referrals::state.eq(state));
    }
    if let Some(body) = &filter.body {
        query = query.filter(referrals::body.eq(body.clone()));
    }
    if let Some(finding) = &filter.finding {
        query = query.filter(referrals::finding_id.eq(finding.clone()));
    }
    Ok(query.load(conn)?)
}
