//! Referrals: a finding sent to a body that can help, on a ground that is written down, with the part it needs and no
//! more. Whoever receives it accepts it under a number of its own, or turns it down; then the next column of the referral
//! matrix hears of it. Bodies that have no account here are called, and the supervisor writes down what they said.

mod answering;
mod filter;
mod model;
mod part;
mod reading;
mod requests;
pub(super) mod routes;
mod sending;
mod sight;
mod store;
mod views;

pub(super) use model::Referral;
pub use model::{Approval, Basis, ReferralId, ReferralState};
pub(super) use views::ReferralBrief;

use std::collections::BTreeMap;

use super::books::KeptReferral;
use super::model::FindingId;
use crate::db::{At, DbConn};
use crate::error::Result;

/// Referrals whose receivers should have answered by now.
pub(super) fn alarms(conn: &mut DbConn, now: At, limit: i64) -> Result<Vec<Referral>> {
    store::alarms(conn, now, limit)
}

/// When the next receiver should have answered.
pub(super) fn next_alarm(conn: &mut DbConn) -> Result<Option<At>> {
    store::next_alarm(conn)
}

/// Every referral as it is written down, by finding, in the order in which they were sent.
pub(super) fn books(conn: &mut DbConn) -> Result<BTreeMap<String, Vec<KeptReferral>>> {
    let mut sent: BTreeMap<String, Vec<KeptReferral>> = BTreeMap::new();
    for row in store::all(conn)? {
        sent.entry(row.finding_id.to_string()).or_default().push(KeptReferral {
            id: row.id,
            body: row.body,
            state: row.state,
            answer_by: row.answer_by,
        });
    }
    Ok(sent)
}

/// The referrals of a finding, oldest first; without what people wrote for those who only count.
pub(super) fn of_finding(conn: &mut DbConn, id: &FindingId, with_words: bool) -> Result<Vec<ReferralBrief>> {
    let referrals = store::of_finding(conn, id)?;
    Ok(referrals.into_iter().map(|referral| views::brief(referral, with_words)).collect())
}
