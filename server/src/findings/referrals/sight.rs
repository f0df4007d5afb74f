//! Who sees which referrals: those on the sender's side by the areas of the findings, receivers by the address.

use super::model::Referral;
use crate::accounts::{Actor, Kind, Post, Role, Scope};
use crate::findings::matrix::{Body, ReachedBy};

/// What a reader's queries may reach.
#[derive(Clone, Debug)]
pub(super) struct ReferralSight {
    pub(super) scopes: Vec<(Kind, Scope)>,
    pub(super) account: String,
    pub(super) areas: Vec<String>,
    /// What is addressed to the reader.
    pub(super) receives: Option<ReceiverSight>,
}

/// How somebody is addressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ReceiverSight {
    /// As a case worker of this unit.
    Unit(String),
    /// As the office of this body in one's areas.
    Office(&'static str),
}

impl ReceiverSight {
    fn of(actor: &Actor) -> Option<ReceiverSight> {
        match actor.post()? {
            Post::CaseWorker => actor.unit.clone().map(ReceiverSight::Unit),
            Post::SupervisorSwd => Some(ReceiverSight::Office("do_swd")),
            Post::SupervisorLabour => Some(ReceiverSight::Office("labour")),
            Post::DeputyDirector => Some(ReceiverSight::Office("dd")),
            _ => None,
        }
    }

    fn is_addressed_by(&self, referral: &Referral, areas: &[String]) -> bool {
        match self {
            ReceiverSight::Unit(unit) => referral.unit.as_ref() == Some(unit),
            ReceiverSight::Office(body) => referral.body == *body && lies_in(referral, areas),
        }
    }
}

impl ReferralSight {
    pub(super) fn of(actor: &Actor) -> ReferralSight {
        ReferralSight {
            scopes: Kind::ALL.iter().map(|&kind| (kind, actor.reach(kind).scope)).collect(),
            account: actor.account.to_string(),
            areas: actor.areas.clone(),
            receives: ReceiverSight::of(actor),
        }
    }
}

/// Whether the referral is addressed to this person.
pub(super) fn is_receiver(actor: &Actor, referral: &Referral) -> bool {
    ReceiverSight::of(actor).is_some_and(|it| it.is_addressed_by(referral, &actor.areas))
}

/// Whether the person answers on behalf of a body that nobody here speaks for: the supervisor of the line, who called.
pub(super) fn speaks_for(actor: &Actor, referral: &Referral, body: Option<&Body>) -> bool {
    let is_absent = match body.map(|body| body.reached_by) {
        Some(ReachedBy::Outside) | None => true,
        Some(ReachedBy::Unit) => referral.unit.is_none(),
        _ => false,
    };
    let is_supervisor = actor.role == Role::Supervisor && actor.reach(referral.kind).scope == Scope::Areas;
    is_absent && is_supervisor && lies_in(referral, &actor.areas)
}

fn lies_in(referral: &Referral, areas: &[String]) -> bool {
    [&referral.province, &referral.division, &referral.district]
        .into_iter()
        .flatten()
        .any(|place| areas.contains(place))
}
