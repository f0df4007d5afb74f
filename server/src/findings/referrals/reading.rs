//! Reading referrals. A receiver's reading of a child's answers is recorded, as everybody's is.

use serde_json::{Map, json};

use super::filter::Query;
use super::model::{Referral, ReferralId};
use super::sight::{ReferralSight, is_receiver};
use super::views::{Eyes, ReferralView, view};
use super::{part, store};
use crate::accounts::{Actor, Permission};
use crate::audit::{self, Event};
use crate::db::DbConn;
use crate::error::{Error, Result};
use crate::findings::Findings;
use crate::findings::model::{Case, FindingId};
use crate::http::Page;

impl Findings {
    /// A page of referrals the reader may see, newest first. The chosen answers stand in each referral, not in the list.
    pub(super) async fn referrals(&self, actor: Actor, query: Query) -> Result<Page<ReferralView>> {
        actor.may(Permission::ReadReferrals)?;
        let (filter, limit) = query.filter()?;
        let items = self
            .db
            .read(move |conn| {
                let referrals = store::page(conn, &filter, &ReferralSight::of(&actor))?;
                referrals
                    .into_iter()
                    .map(|referral| listed(conn, &actor, referral))
                    .collect::<Result<Vec<_>>>()
            })
            .await?;
        Ok(Page::of(items, limit, |item| (item.sent_at.micros(), item.id.clone())))
    }

    /// One referral.
    pub(super) async fn referral(&self, actor: Actor, id: ReferralId) -> Result<ReferralView> {
        actor.may(Permission::ReadReferrals)?;
        self.db
            .write(actor.by(), move |tx| {
                let referral = visible(tx.conn, &actor, &id)?;
                let case = case_of(tx.conn, &referral.finding_id)?;
                let eyes = eyes(&actor, &referral);
                let answers = match eyes {
                    Eyes::Receiver => part::chosen(tx.conn, &case, &referral.part()?.fields)?,
                    _ => Map::new(),
                };
                let details = json!({ "fields": answers.len(), "revision": case.revision });
                audit::record(tx, Event::new("referral.read", "referral", &id, details))?;
                view(referral, &case, eyes, answers)
            })
            .await
    }
}

fn listed(conn: &mut DbConn, actor: &Actor, referral: Referral) -> Result<ReferralView> {
    let case = case_of(conn, &referral.finding_id)?;
    let eyes = eyes(actor, &referral);
    view(referral, &case, eyes, Map::new())
}

fn eyes(actor: &Actor, referral: &Referral) -> Eyes {
    match (is_receiver(actor, referral), actor.reach(referral.kind).sensitive) {
        (true, _) => Eyes::Receiver,
        (false, true) => Eyes::Sender,
        (false, false) => Eyes::Counter,
    }
}

/// A referral the person may see.
pub(super) fn visible(conn: &mut DbConn, actor: &Actor, id: &ReferralId) -> Result<Referral> {
    store::visible_one(conn, id, &ReferralSight::of(actor))?.ok_or_else(|| {
        Error::not_found("referral_unknown", format!("there is no referral {id} that you may see"))
    })
}

/// The finding of a referral; whether it is shown is decided by what is made of it.
pub(super) fn case_of(conn: &mut DbConn, id: &FindingId) -> Result<Case> {
    crate::findings::case(conn, id)?
        .ok_or_else(|| Error::internal("reading a referral", format!("finding {id} is gone")))
}
