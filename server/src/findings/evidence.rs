//! What shows that a finding was put right: photos that have arrived, or a later submission about the same place. That
//! somebody only says so is not enough, and whoever said it does not also check it.

use std::collections::BTreeSet;

use super::model::{Case, Deed};
use super::requests::Evidence;
use super::{known_as, store};
use crate::accounts::Actor;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::media;
use crate::submissions::{self, Facts, Review};

/// Passes evidence that is there.
pub(super) fn check(tx: &mut Tx, case: &Case, shown: &Evidence) -> Result<()> {
    let later = shown.submission.map(|id| id.hyphenated().to_string());
    if let Some(id) = &later {
        let places = case.facility.as_deref().map(|it| known_as(tx.conn, it)).transpose()?;
        fits(case, places, submissions::facts(tx.conn, id)?, id)?;
    }
    if shown.media.is_empty() {
        return Ok(());
    }
    let holder = later.as_deref().unwrap_or(&case.submission_id);
    let there: BTreeSet<String> =
        media::arrived(tx.conn, holder)?.into_iter().map(|held| held.name).collect();
    let missing: Vec<&String> = shown.media.iter().filter(|name| !there.contains(*name)).collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(Error::invalid(
            "evidence_unknown",
            format!("submission {holder} holds no such files; send them first, or name others"),
        )
        .with("missing", missing.into_iter().map(String::as_str).collect::<Vec<_>>())),
    }
}

fn fits(case: &Case, places: Option<Vec<String>>, facts: Option<Facts>, id: &str) -> Result<()> {
    let unfit =
        |why: &str| Err(Error::invalid("evidence_unfit", format!("submission {id} {why}; name another")));
    // What does not exist and what is of the other line are the same to whoever asks.
    let Some(facts) = facts.filter(|facts| facts.kind == case.kind) else {
        return unfit("is none you may name");
    };
    if facts.review == Review::Rejected {
        return unfit("was rejected");
    }
    if facts.finished_at <= case.visited_at {
        return unfit("is not later than the visit that found it");
    }
    match places {
        Some(places) if !names_one_of(&places, facts.facility.as_deref()) => unfit("is about another place"),
        None if !facts.areas.iter().any(|area| Some(area) == case.district.as_ref()) => {
            unfit("is about another district")
        }
        _ => Ok(()),
    }
}

/// Ids are kept in lower case; a phone may write them otherwise.
fn names_one_of(places: &[String], facility: Option<&str>) -> bool {
    facility.is_some_and(|it| places.iter().any(|place| place.eq_ignore_ascii_case(it)))
}

/// Passes who may verify: a later submission by somebody else shows it, or somebody else said that it was remedied.
pub(super) fn by_a_second_person(tx: &mut Tx, case: &Case, actor: &Actor, shown: &Evidence) -> Result<()> {
    let me = actor.account.as_str();
    if let Some(id) = shown.submission {
        let facts = submissions::facts(tx.conn, &id.hyphenated().to_string())?;
        if facts.is_some_and(|facts| facts.account != me) {
            return Ok(());
        }
    }
    let events = store::events(tx.conn, &case.id)?;
    let remedied = events.iter().rev().find(|event| event.deed == Deed::Remedied);
    match remedied.and_then(|event| event.account_id.as_deref()) {
        Some(account) if account == me => Err(Error::forbidden(
            "second_person_needed",
            "you said that it was remedied; name the re-inspection in evidence.submission, or have somebody else verify it",
        )),
        _ => Ok(()),
    }
}
