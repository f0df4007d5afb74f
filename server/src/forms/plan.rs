//! Which release somebody gets: all releases of all forms with what was decided about each, as the database had them a moment
//! ago. A process keeps its plan for two seconds (`jobs.rs` has it forgotten), and no longer than until the next release
//! comes into force, so answering a phone asks the database nothing.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::model::{EventRow, ListedForm, Listing, ReleaseHead, WithdrawnRelease};
use super::rollout::{Rollout, RolloutDeed, Whom, grace_end};
use super::store;
use crate::db::{At, DbConn};
use crate::error::Result;

/// Sorts of readers whose listings are kept written out; there are as many as there are ways to be staged.
const KEPT: usize = 64;

/// All forms.
pub(super) struct Plan {
    forms: Vec<FormPlan>,
    /// When the next release comes into force: the plan is not good beyond.
    until: Option<At>,
    /// Whether everybody gets the same.
    is_same_for_all: bool,
    /// What is sent, by the versions it offers.
    listings: RwLock<HashMap<Vec<Option<i32>>, Arc<Listing>>>,
}

/// One form.
pub(super) struct FormPlan {
    pub(super) form: String,
    /// Newest first.
    pub(super) releases: Vec<Planned>,
}

/// A release and what was decided about it.
pub(super) struct Planned {
    pub(super) head: ReleaseHead,
    pub(super) rollout: Rollout,
}

/// Why a release was out of use when it was filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutOfUse {
    /// It was taken back or retired before the visit ended.
    Withdrawn {
        /// When.
        at: At,
    },
    /// A newer one was given to these people, and the grace period had ended.
    GraceEnded {
        /// The newer one.
        current: u32,
        /// When the grace period ended.
        at: At,
    },
}

impl Plan {
    /// As the database has it now.
    pub(super) fn read(conn: &mut DbConn, now: At) -> Result<Plan> {
        let (heads, events) = (store::heads(conn)?, store::events(conn)?);
        Plan::of(heads, events, now)
    }

    /// From all releases, by form and then from new to old, and all events, by form and then from old to new.
    fn of(heads: Vec<ReleaseHead>, events: Vec<EventRow>, now: At) -> Result<Plan> {
        let mut forms: Vec<FormPlan> = Vec::new();
        for head in heads {
            let mut rollout = Rollout::at_once(head.published_at);
            let about = |event: &&EventRow| event.form == head.form && event.version == head.version;
            events.iter().filter(about).try_for_each(|event| rollout.follow(event))?;
            if forms.last().is_none_or(|last| last.form != head.form) {
                forms.push(FormPlan { form: head.form.clone(), releases: Vec::new() });
            }
            if let Some(last) = forms.last_mut() {
                last.releases.push(Planned { head, rollout });
            }
        }
        let coming = |planned: &Planned| {
            let rollout = &planned.rollout;
            (rollout.taken.is_none() && rollout.effective_at > now).then_some(rollout.effective_at)
        };
        let until = forms.iter().flat_map(|form| &form.releases).filter_map(coming).min();
        let is_same_for_all = forms.iter().all(|form| form.is_same_for_all(now));
        Ok(Plan { forms, until, is_same_for_all, listings: RwLock::default() })
    }

    /// Whether it may still be gone by.
    pub(super) fn is_good(&self, now: At) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// The form of this code, and nothing else.
    pub(super) fn into_form(self, form: &str) -> Option<FormPlan> {
        self.forms.into_iter().find(|planned| planned.form == form)
    }

    /// The form of this code.
    pub(super) fn form(&self, form: &str) -> Option<&FormPlan> {
        self.forms.iter().find(|planned| planned.form == form)
    }

    /// What these get of each form, written out.
    pub(super) fn listing(&self, whom: &Whom, now: At) -> Arc<Listing> {
        // Where nothing is staged nobody has to be looked at.
        let anybody = Whom { areas: &[], device: None };
        let whom = if self.is_same_for_all { &anybody } else { whom };
        let offered: Vec<Option<i32>> =
            self.forms.iter().map(|form| form.offered(whom, now).map(|it| it.head.version)).collect();
        if let Some(known) = self.listings.read().unwrap_or_else(PoisonError::into_inner).get(&offered) {
            return Arc::clone(known);
        }
        let listing = Arc::new(Listing::of(&self.forms, &offered, now));
        let mut kept = self.listings.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.insert(offered, Arc::clone(&listing));
        }
        listing
    }

    /// What these get of each form.
    pub(super) fn offered(&self, whom: &Whom, now: At) -> Vec<ListedForm> {
        self.forms
            .iter()
            .filter_map(|form| form.offered(whom, now))
            .map(|it| ListedForm::of(&it.head))
            .collect()
    }

    /// What was taken back, of all forms.
    pub(super) fn withdrawn(&self) -> Vec<WithdrawnRelease> {
        let all = self.forms.iter().flat_map(|form| &form.releases);
        all.filter_map(|planned| {
            let (at, deed) = planned.rollout.taken?;
            Some(WithdrawnRelease {
                form: planned.head.form.clone(),
                version: planned.head.version,
                hash: planned.head.hash.clone(),
                kind: planned.head.kind,
                because: deed,
                at,
            })
        })
        .collect()
    }
}

impl FormPlan {
    /// The release these are to fill in: the newest that is given to them. None before one that is retired.
    pub(super) fn offered(&self, whom: &Whom, now: At) -> Option<&Planned> {
        self.in_use().find(|planned| planned.rollout.is_for(whom, now))
    }

    /// Those that are given out, or will be, newest first.
    pub(super) fn in_use(&self) -> impl Iterator<Item = &Planned> {
        self.releases
            .iter()
            .take_while(|planned| !matches!(planned.rollout.taken, Some((_, RolloutDeed::Retired))))
            .filter(|planned| planned.rollout.taken.is_none())
    }

    fn is_same_for_all(&self, now: At) -> bool {
        let nobody = Whom { areas: &[], device: None };
        let common = self.offered(&nobody, now).map(|planned| planned.head.version);
        let above = |planned: &&Planned| common.is_none_or(|common| planned.head.version > common);
        let is_given =
            |planned: &Planned| planned.rollout.taken.is_none() && planned.rollout.effective_at <= now;
        !self.releases.iter().filter(above).any(is_given)
    }

    /// The release of this number.
    pub(super) fn release(&self, version: u32) -> Option<&Planned> {
        self.releases.iter().find(|planned| i64::from(planned.head.version) == i64::from(version))
    }

    /// Whether these may have a release: the one given to them, and whatever they may have begun something with before.
    pub(super) fn may_have(&self, version: u32, whom: &Whom, now: At) -> bool {
        let Some(planned) = self.release(version) else { return false };
        let current = self.offered(whom, now).map_or(0, |current| current.head.version);
        let rollout = &planned.rollout;
        planned.head.version <= current || rollout.taken.is_some() || rollout.is_for(whom, now)
    }

    /// Why a release was out of use for these at the end of their visit, if it was.
    pub(super) fn out_of_use(&self, version: u32, whom: &Whom, ended: At) -> Option<OutOfUse> {
        let planned = self.release(version)?;
        if let Some((at, _)) = planned.rollout.taken.filter(|(at, _)| *at <= ended) {
            return Some(OutOfUse::Withdrawn { at });
        }
        self.releases
            .iter()
            .take_while(|newer| newer.head.version > planned.head.version)
            .filter(|newer| newer.rollout.taken.is_none_or(|(taken, _)| taken > ended))
            .find_map(|newer| {
                let at = grace_end(newer.rollout.since(whom)?, newer.rollout.grace_days?);
                (at < ended)
                    .then_some(OutOfUse::GraceEnded { current: newer.head.version.unsigned_abs(), at })
            })
    }
}
