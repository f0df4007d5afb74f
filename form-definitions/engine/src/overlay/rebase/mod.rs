//! Moves a provincial version onto a newer base: what still means the same goes along by itself, what does not is put before people with both sides.

mod fates;
mod subject;

use super::draft::Draft;
use super::operation::Operation;
use super::refusal::{Refusal, RefusalCode as Code};
use crate::package::Package;
use fates::Rebasing;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use subject::subject;

/// What became of a version on a newer base.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rebased {
    /// What goes along by itself, in order, some of it fitted to the new base.
    pub operations: Vec<Operation>,
    /// Which of the old operations each of them was.
    pub from: Vec<usize>,
    /// What the new base does already: nothing is left of it.
    pub absorbed: Vec<Absorbed>,
    /// What people decide, one by one.
    pub conflicts: Vec<Conflict>,
}

/// An operation the new base has made superfluous.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Absorbed {
    /// Which of the old operations.
    pub operation: usize,
    /// Why nothing is left of it.
    pub message: String,
}

/// What stands against an operation on the new base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictKind {
    /// What it is about is not in the new base.
    TargetGone,
    /// The new base words it differently too.
    TextChanged,
    /// The new base has another rule there too.
    RuleChanged,
    /// The new base weighs the finding differently too, or sends it elsewhere.
    FindingChanged,
    /// The new base has other values of the parameter.
    ParameterChanged,
    /// The new base has something of its own under that name or code.
    SameNameAdded,
    /// The new base has another order of its own.
    OrderChanged,
    /// The new base is as strict, or stricter.
    AlreadyStricter,
    /// The new base locks it.
    Locked,
    /// Anything else that refuses it there.
    Refused,
}

/// One operation people decide about, with both sides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conflict {
    /// Which of the old operations.
    pub operation: usize,
    /// What stands against it.
    pub kind: ConflictKind,
    /// What the old base had there.
    pub base_before: Value,
    /// What the new base has there.
    pub base_now: Value,
    /// Why people decide.
    pub message: String,
    /// What refuses it on the new base, where something does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
}

/// How people decided about a conflict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolution {
    /// Which of the old operations.
    pub operation: usize,
    /// The decision.
    pub choice: Choice,
}

/// What is done about a conflict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The operation stays as it was.
    KeepOurs,
    /// The new base stays as it is.
    TakeTheirs,
    /// Another operation instead.
    Edited(Box<Operation>),
}

/// Moves operations made on `old_base` onto `new_base`.
pub fn rebase(old_base: &Package, new_base: &Package, operations: &[Operation]) -> Rebased {
    let mut rebased = Rebasing::all(old_base, new_base, operations);
    let (before, now) = (Draft::of(old_base.clone()), Draft::of(new_base.clone()));
    // What looked as if it went along and is refused all the same is a conflict too; without it, others may be.
    for _ in 0..=operations.len().min(MOST_ROUNDS) {
        let Err(refusals) = super::apply(new_base, &rebased.operations) else { break };
        let stopped: BTreeSet<usize> = refusals.iter().map(|refusal| refusal.operation).collect();
        if rebased.operations.is_empty() {
            break;
        }
        for refusal in refusals {
            take_out(&mut rebased, refusal, (&before, &now), operations);
        }
        let mut place = 0;
        rebased.operations.retain(|_| (!stopped.contains(&place), place += 1).0);
        place = 0;
        rebased.from.retain(|_| (!stopped.contains(&place), place += 1).0);
    }
    rebased.conflicts.sort_by_key(|conflict| conflict.operation);
    rebased.absorbed.sort_by_key(|absorbed| absorbed.operation);
    rebased
}

/// Most times what is refused is taken out and the rest tried again.
const MOST_ROUNDS: usize = 20;

fn take_out(
    rebased: &mut Rebased,
    refusal: Refusal,
    (before, now): (&Draft, &Draft),
    operations: &[Operation],
) {
    let Some(place) = rebased.from.get(refusal.operation).copied() else { return };
    if rebased.conflicts.iter().any(|conflict| conflict.operation == place) {
        return;
    }
    let Some(operation) = operations.get(place) else { return };
    if refusal.code == Code::ChangesNothing.as_str() {
        let message = format!("the new base does it already: {}", refusal.message);
        rebased.absorbed.push(Absorbed { operation: place, message });
        return;
    }
    let kind = match refusal.code.as_str() {
        "locked" => ConflictKind::Locked,
        "unknown_target" | "added_later" => ConflictKind::TargetGone,
        "name_taken" => ConflictKind::SameNameAdded,
        "would_widen" => ConflictKind::AlreadyStricter,
        "day_taken" => ConflictKind::ParameterChanged,
        _ => ConflictKind::Refused,
    };
    rebased.conflicts.push(Conflict {
        operation: place,
        kind,
        base_before: subject(before, operation),
        base_now: subject(now, operation),
        message: refusal.message.clone(),
        refusal: Some(refusal),
    });
}

/// The list of operations people decided on, checked on the new base.
///
/// # Errors
/// A conflict nobody decided about, or whatever is refused on the new base; the number is that of the old operation.
pub fn resolve(
    new_base: &Package,
    operations: &[Operation],
    rebased: &Rebased,
    resolutions: &[Resolution],
) -> Result<Vec<Operation>, Vec<Refusal>> {
    let mut all: Vec<(usize, Operation)> =
        rebased.from.iter().copied().zip(rebased.operations.iter().cloned()).collect();
    let mut refusals = Vec::new();
    for conflict in &rebased.conflicts {
        let place = conflict.operation;
        match resolutions.iter().rev().find(|resolution| resolution.operation == place).map(|it| &it.choice) {
            Some(Choice::TakeTheirs) => {}
            Some(Choice::KeepOurs) => {
                all.extend(operations.get(place).map(|operation| (place, operation.clone())))
            }
            Some(Choice::Edited(operation)) => all.push((place, (**operation).clone())),
            None => refusals.push(undecided(place, conflict)),
        }
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    all.sort_by_key(|(place, _)| *place);
    let (from, operations): (Vec<usize>, Vec<Operation>) = all.into_iter().unzip();
    super::apply(new_base, &operations).map_err(|mut refusals| {
        for refusal in &mut refusals {
            refusal.operation = from.get(refusal.operation).copied().unwrap_or(refusal.operation);
        }
        refusals
    })?;
    Ok(operations)
}

fn undecided(place: usize, conflict: &Conflict) -> Refusal {
    let message = format!("nobody has decided about operation {place}: {}", conflict.message);
    let remedy = "decide: keep ours, take theirs, or another operation";
    let mut refusal = super::refusal::refused(Code::Undecided, "", message, remedy);
    refusal.operation = place;
    *refusal
}
