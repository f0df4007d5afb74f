//! The Committee's desk: drafts of a provincial version, proposals frozen under a hash, comments, votes each member signs,
//! the decision and its minutes, and the scheduled release that follows from it. Questionnaires the Committee governs
//! (`form-definitions/parameters/committee.json`) change in no other way, save a break-glass that two people answer for.
//!
//! What a newcomer would get wrong: a vote is for a hash, not for a title. Whatever is edited gets another hash, and every vote
//! on the one before is void.

mod authoring;
mod bases;
mod break_glass;
mod closing;
mod committee;
mod consenting;
mod consents;
mod days;
mod deciding;
mod drafts;
mod early;
mod engine;
mod freezing;
mod limits;
mod minutes;
mod model;
mod notices;
mod proposals;
mod requests;
mod routes;
mod rules;
mod signing;
mod store;
mod tally;
mod views;
mod voting;
pub mod workbook;

use std::sync::Arc;

pub use bases::settle_builtin;
pub use closing::CLOSE;
pub use minutes::{
    MINUTES_TYPE, Verification, verify as verify_minutes, verify_with_report as verify_minutes_with_report,
};

pub(crate) use routes::routes;

use form_engine::Package;

use crate::accounts::Accounts;
use crate::clock::Clock;
use crate::config::CommitteeConfig;
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::forms::{self, Forms, Published};
use crate::replay::Replays;
use rules::Rules;

/// The room's service; clones share it.
#[derive(Clone)]
pub struct Desk {
    db: Db,
    accounts: Accounts,
    forms: Forms,
    clock: Clock,
    replays: Replays,
    rules: Arc<Rules>,
}

impl Desk {
    /// Opens the room. The rules of deciding are checked here: a mistake in them stops the start.
    pub fn open(
        db: Db,
        accounts: Accounts,
        forms: Forms,
        clock: Clock,
        replays: Replays,
        config: &CommitteeConfig,
    ) -> Result<Desk> {
        let rules = Arc::new(Rules::builtin()?.requiring(&config.consents)?);
        Ok(Desk { db, accounts, forms, clock, replays, rules })
    }
}

/// Publishes past the Committee what it does not govern. Of what it governs, only what is released already, and what comes with the
/// program for a form without a release: that changes nothing.
pub fn publish_directly(tx: &mut Tx, package: &Package) -> Result<Published> {
    let hash = package.hash();
    let released = forms::current(tx.conn)?;
    let first = released.iter().all(|release| release.form != package.form)
        && forms::builtin_packages()?.iter().any(|builtin| builtin.hash() == hash);
    let same = released.iter().any(|release| release.hash == hash);
    if first || same || !Rules::builtin()?.govern(&package.form) {
        return forms::publish(tx, package);
    }
    Err(Error::forbidden(
        "form_governed",
        format!(
            "{} is governed by the Steering Committee: make a draft (POST /v1/drafts) and propose it; in an emergency see break-glass in \
             docs/for-the-committee.md",
            package.form
        ),
    ))
}
