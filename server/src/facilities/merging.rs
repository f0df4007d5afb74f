//! Merging: two registrations turn out to be one place. One goes on; the other stays readable, says into which it went, and
//! can be taken out again. A chain of merges always ends in one survivor that is not merged itself: a merge that would close
//! a ring is refused, and everything on a chain names its end.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::changes::Aim;
use super::facts::tidy;
use super::following::{self, Followers};
use super::ledger::{self, Entry};
use super::model::{Deed, Facility, FacilityId, Status};
use super::reading::seen;
use super::views::FacilityView;
use super::{Facilities, store, visits, words};
use crate::db::Tx;
use crate::error::{Error, Result};

/// The body of a merge.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[schema(example = json!({ "into": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f12", "reason": "same kiln, other spelling" }))]
pub(crate) struct Merge {
    /// The facility that goes on; of one that is merged itself, the one it was merged into.
    into: FacilityId,
    /// Why.
    #[serde(default)]
    reason: Option<String>,
}

impl Facilities {
    /// Merges a facility into another; answers with the one that was merged.
    pub(super) async fn merge(&self, aim: Aim, merge: Merge) -> Result<FacilityView> {
        let reason = merge.reason.and_then(tidy);
        let followers = self.followers.clone();
        self.act(aim, move |tx, aim| self::merge(tx, &followers, aim, &merge.into, reason.clone())).await
    }

    /// Undoes a merge; answers with the facility that stands for itself again.
    pub(super) async fn unmerge(&self, aim: Aim) -> Result<FacilityView> {
        let followers = self.followers.clone();
        self.act(aim, move |tx, aim| self::unmerge(tx, &followers, aim)).await
    }
}

fn merge(
    tx: &mut Tx,
    followers: &Followers,
    aim: &Aim,
    into: &FacilityId,
    reason: Option<String>,
) -> Result<Facility> {
    store::lock_merging(tx.conn)?;
    let before = aim.take(tx)?;
    let target = seen(tx.conn, into, &aim.sight)?;
    let survivor = match &target.merged_into {
        Some(end) => seen(tx.conn, end, &aim.sight)?,
        None => target,
    };
    store::lock(tx.conn, &[&survivor.id])?;
    if before.status == Status::Merged {
        return match before.merged_into == Some(survivor.id.clone()) {
            true => Ok(before),
            false => Err(super::changes::merged(&before)),
        };
    }
    if survivor.id == before.id {
        return Err(ring(&before, into));
    }
    if survivor.line != before.line {
        return Err(Error::conflict(
            "other_line",
            "a workplace and a residential facility are never one place",
        ));
    }
    let survivor_id = survivor.id.clone();
    for absorbed in store::absorbed(tx.conn, &before.id)? {
        follow(tx, absorbed, &survivor_id)?;
    }
    let mut row = before.clone();
    row.status_before = Some(before.status);
    row.status = Status::Merged;
    row.merged_into = Some(survivor_id.clone());
    row.merged_directly = Some(into.clone());
    let entry = Entry { other: Some(&survivor_id), reason: reason.clone(), ..Entry::of(Deed::Merged) };
    ledger::amend(tx, &before, &mut row, entry)?;
    following::tell(tx, followers, &row.id, &before, &survivor)?;
    gather(tx, survivor, &row.id, Entry { reason, ..Entry::of(Deed::Absorbed) })?;
    Ok(row)
}

/// What had been merged into something that is now merged itself names the new end of the chain.
fn follow(tx: &mut Tx, before: Facility, end: &FacilityId) -> Result<()> {
    let mut row = before.clone();
    row.merged_into = Some(end.clone());
    ledger::touch(tx, &before, &mut row, None)
}

/// Words and visits of a survivor after something came to it or left it.
fn gather(tx: &mut Tx, before: Facility, other: &FacilityId, entry: Entry) -> Result<()> {
    let mut survivor = before.clone();
    ledger::amend(tx, &before, &mut survivor, Entry { other: Some(other), ..entry })?;
    words::index(tx, &survivor)?;
    visits::recount(tx, &survivor.id)
}

fn unmerge(tx: &mut Tx, followers: &Followers, aim: &Aim) -> Result<Facility> {
    store::lock_merging(tx.conn)?;
    let before = aim.take(tx)?;
    let (Status::Merged, Some(survivor_id)) = (before.status, before.merged_into.clone()) else {
        return Err(Error::conflict(
            "not_merged",
            format!("facility {} is not merged into another", before.code),
        ));
    };
    store::lock(tx.conn, &[&survivor_id])?;
    let mut row = before.clone();
    row.status = before.status_before.unwrap_or(Status::Provisional);
    row.status_before = None;
    row.merged_into = None;
    row.merged_directly = None;
    ledger::amend(tx, &before, &mut row, Entry { other: Some(&survivor_id), ..Entry::of(Deed::Unmerged) })?;
    for absorbed in came_through(store::absorbed(tx.conn, &survivor_id)?, &row.id) {
        follow(tx, absorbed, &row.id)?;
    }
    if let Some(survivor) = store::row(tx.conn, &survivor_id)? {
        following::tell(tx, followers, &row.id, &survivor, &row)?;
        gather(tx, survivor, &row.id, Entry::of(Deed::Released))?;
    }
    words::index(tx, &row)?;
    visits::recount(tx, &row.id)?;
    Ok(store::row(tx.conn, &row.id)?.unwrap_or(row))
}

/// Of all that ended in one survivor, what had come there through `id`, and leaves with it.
fn came_through(absorbed: Vec<Facility>, id: &FacilityId) -> Vec<Facility> {
    let mut through = BTreeSet::from([id.clone()]);
    loop {
        let more: Vec<FacilityId> = absorbed
            .iter()
            .filter(|row| !through.contains(&row.id))
            .filter(|row| row.merged_directly.as_ref().is_some_and(|directly| through.contains(directly)))
            .map(|row| row.id.clone())
            .collect();
        if more.is_empty() {
            break;
        }
        through.extend(more);
    }
    absorbed.into_iter().filter(|row| through.contains(&row.id)).collect()
}

fn ring(row: &Facility, into: &FacilityId) -> Error {
    let detail = match row.id == *into {
        true => format!("facility {} cannot be merged into itself", row.code),
        false => format!(
            "that facility was merged into {} already; undo that merge first, or leave things as they are",
            row.code
        ),
    };
    Error::conflict("merge_cycle", detail)
}
