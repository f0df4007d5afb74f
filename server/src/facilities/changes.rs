//! What a supervisor does with a facility: confirm it, correct it, close it, open it again. Whoever acts on a stale page is
//! told so, and nothing changes.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::area::{self, Whereabouts, whereabouts};
use super::facts::{Facts, tidy};
use super::ledger::{self, Entry};
use super::model::{Deed, Facility, FacilityId, LinkRow, Relation, Status};
use super::reading::seen;
use super::register::out_of_date;
use super::sight::Sight;
use super::views::{FacilityView, PossibleDuplicate, Registered, view};
use super::{Facilities, duplicates, following, store};
use crate::accounts::Actor;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::places::Places;

/// The members a correction may name.
const MEMBERS: &[&str] = &[
    "kind",
    "name_en",
    "name_ur",
    "aliases",
    "registrations",
    "operator",
    "links",
    "position",
    "district",
    "address",
    "capacity",
    "sector",
    "contact",
];

/// Which facility, which state of it the actor knows, and who acts.
#[derive(Clone)]
pub(super) struct Aim {
    pub(super) id: FacilityId,
    pub(super) known: Option<i32>,
    pub(super) sight: Sight,
    pub(super) actor: Actor,
}

impl Aim {
    /// The facility, if the actor may see it and knows it as it is; nobody else changes it meanwhile.
    pub(super) fn take(&self, tx: &mut Tx) -> Result<Facility> {
        store::lock(tx.conn, &[&self.id])?;
        let row = seen(tx.conn, &self.id, &self.sight)?;
        match self.known {
            Some(revision) if revision != row.revision => Err(out_of_date(&row)),
            _ => Ok(row),
        }
    }
}

/// The body of a confirmation.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[schema(example = json!({ "not_duplicates": ["0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f12"] }))]
pub(crate) struct Confirmation {
    /// Facilities that were offered as possible duplicates and are other places.
    #[serde(default)]
    not_duplicates: Vec<FacilityId>,
}

/// The body of closing and reopening.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[schema(example = json!({ "reason": "demolished" }))]
pub(crate) struct Because {
    /// Why.
    #[serde(default)]
    pub(super) reason: Option<String>,
}

impl Because {
    fn said(self) -> Result<String> {
        let reason = self.reason.and_then(tidy).filter(|reason| reason.chars().count() <= 500);
        reason.ok_or_else(|| Error::invalid("reason_missing", "say why, in `reason`, in at most 500 letters"))
    }
}

impl Facilities {
    /// Confirms a provisional facility. What it may be the same as has to be looked at first.
    pub(super) async fn confirm(&self, aim: Aim, confirmation: Confirmation) -> Result<Registered> {
        let (places, sight, by) = (self.places.clone(), aim.sight.clone(), aim.actor.by());
        let row = self.db.write(by, move |tx| confirm(tx, &places, &aim, &confirmation)).await?;
        self.registered(row, sight, Vec::new()).await
    }

    /// Corrects what is known of a facility: a merge patch (RFC 7396) over its facts.
    pub(super) async fn correct(&self, aim: Aim, patch: Map<String, Value>) -> Result<FacilityView> {
        let unknown = patch.keys().find(|member| !MEMBERS.contains(&member.as_str()));
        if let Some(member) = unknown {
            let known = MEMBERS.join(", ");
            return Err(Error::invalid(
                "unknown_member",
                format!("{member:?} cannot be corrected; one of {known}"),
            ));
        }
        let room = self.clone();
        self.act(aim, move |tx, aim| correct(tx, &room, aim, &patch)).await
    }

    /// Closes a facility that is no longer run.
    pub(super) async fn close(&self, aim: Aim, because: Because) -> Result<FacilityView> {
        let reason = because.said()?;
        self.act(aim, move |tx, aim| {
            let before = aim.take(tx)?;
            match before.status {
                Status::Closed => Ok(before),
                Status::Merged => Err(merged(&before)),
                Status::Provisional | Status::Active => {
                    let entry = Entry { reason: Some(reason.clone()), ..Entry::of(Deed::Closed) };
                    stand(tx, before, Status::Closed, entry)
                }
            }
        })
        .await
    }

    /// Opens a closed facility again.
    pub(super) async fn reopen(&self, aim: Aim, because: Because) -> Result<FacilityView> {
        let reason = because.said()?;
        self.act(aim, move |tx, aim| {
            let before = aim.take(tx)?;
            match before.status {
                Status::Closed => {
                    let entry = Entry { reason: Some(reason.clone()), ..Entry::of(Deed::Reopened) };
                    stand(tx, before, Status::Active, entry)
                }
                Status::Merged => Err(merged(&before)),
                Status::Provisional | Status::Active => Ok(before),
            }
        })
        .await
    }

    /// One unit of work on one facility; answers with the facility as it then is.
    pub(super) async fn act(
        &self,
        aim: Aim,
        unit: impl Fn(&mut Tx, &Aim) -> Result<Facility> + Send + 'static,
    ) -> Result<FacilityView> {
        let (today, by) = (self.today(), aim.actor.by());
        self.db
            .write(by, move |tx| {
                let row = unit(tx, &aim)?;
                view(tx.conn, row, &aim.sight, today)
            })
            .await
    }
}

fn confirm(tx: &mut Tx, places: &Places, aim: &Aim, confirmation: &Confirmation) -> Result<Facility> {
    let before = aim.take(tx)?;
    match before.status {
        Status::Active => return Ok(before),
        Status::Merged => return Err(merged(&before)),
        Status::Closed => {
            return Err(Error::conflict("facility_closed", "the facility is closed; reopen it instead"));
        }
        Status::Provisional => {}
    }
    if before.registered_by.as_deref() == Some(aim.actor.account.as_str()) {
        return Err(Error::forbidden(
            "own_registration",
            "nobody confirms what they registered themselves; ask a colleague",
        ));
    }
    let swapped = |(lat, lon)| whereabouts(places, lat, lon) == Whereabouts::Swapped;
    if before.lat.zip(before.lon).is_some_and(swapped) {
        return Err(Error::conflict(
            "swapped_coordinates",
            "latitude and longitude of this facility seem to be exchanged; correct `position` first",
        ));
    }
    distinguish(tx, aim, &before, &confirmation.not_duplicates)?;
    stand(tx, before, Status::Active, Entry::of(Deed::Confirmed))
}

/// Passes when all that was offered as the same place is said to be another, and remembers that.
fn distinguish(tx: &mut Tx, aim: &Aim, row: &Facility, others: &[FacilityId]) -> Result<()> {
    let offered = duplicates::of(tx.conn, row, &aim.sight)?;
    let open: Vec<&PossibleDuplicate> = offered.iter().filter(|offer| !others.contains(&offer.id)).collect();
    if !open.is_empty() {
        return Err(undecided(&open));
    }
    let link = |offer: &PossibleDuplicate| LinkRow {
        facility_id: row.id.clone(),
        other_id: offer.id.clone(),
        relation: Relation::Distinct,
    };
    store::add_links(tx.conn, &offered.iter().map(link).collect::<Vec<_>>())?;
    for offer in &offered {
        ledger::note(tx, row, Entry { other: Some(&offer.id), ..Entry::of(Deed::Distinguished) })?;
    }
    Ok(())
}

fn undecided(open: &[&PossibleDuplicate]) -> Error {
    let detail = "the facility may be one that is registered already; merge it, or name those that are other places in \
        `not_duplicates`";
    let offers = serde_json::to_value(open).unwrap_or_default();
    Error::conflict("possible_duplicates", detail).with("possible_duplicates", offers)
}

fn correct(tx: &mut Tx, room: &Facilities, aim: &Aim, patch: &Map<String, Value>) -> Result<Facility> {
    let before = aim.take(tx)?;
    if before.status == Status::Merged {
        return Err(merged(&before));
    }
    let mut value: Value = before.facts.read()?;
    overlay(&mut value, patch);
    let facts = Facts::read(&value)?;
    if !aim.sight.reaches(facts.kind.line()) {
        let detail = format!("a {} belongs to the {} line", facts.kind, facts.kind.line());
        return Err(Error::forbidden("other_line", detail));
    }
    if facts == before.facts()? {
        return Ok(before);
    }
    let mut row = before.clone();
    row.state(&facts, area::of(&room.places, &facts, before.district.as_deref()))?;
    let entry = Entry { facts: Some(&facts), ..Entry::of(Deed::Corrected) };
    ledger::amend(tx, &before, &mut row, entry)?;
    following::tell(tx, &room.followers, &row.id, &before, &row)?;
    Ok(row)
}

/// RFC 7396: what is null goes, objects are overlaid, everything else is replaced.
fn overlay(target: &mut Value, patch: &Map<String, Value>) {
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(target) = target.as_object_mut() else { return };
    for (member, value) in patch {
        match value {
            Value::Null => drop(target.shift_remove(member)),
            Value::Object(inner) => overlay(target.entry(member.clone()).or_insert(Value::Null), inner),
            other => drop(target.insert(member.clone(), other.clone())),
        }
    }
}

fn stand(tx: &mut Tx, before: Facility, status: Status, entry: Entry) -> Result<Facility> {
    let mut row = before.clone();
    row.status = status;
    ledger::amend(tx, &before, &mut row, entry)?;
    Ok(row)
}

/// What is told to somebody who changes a facility in whose stead another goes on.
pub(super) fn merged(row: &Facility) -> Error {
    let detail = format!("facility {} was merged into another; change that one, or undo the merge", row.code);
    let error = Error::conflict("facility_merged", detail);
    match &row.merged_into {
        Some(survivor) => error.with("merged_into", survivor.to_string()),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_patch_replaces_adds_and_removes() {
        let mut facts = json!({ "name_en": "A", "capacity": 4, "operator": { "code": "O-1", "name": "N" }, "aliases": ["x"] });

        overlay(
            &mut facts,
            json!({ "name_en": "B", "capacity": null, "operator": { "name": null }, "aliases": [], "position": { "lat": 1 } })
                .as_object()
                .unwrap(),
        );

        assert_eq!(
            facts,
            json!({ "name_en": "B", "operator": { "code": "O-1" }, "aliases": [], "position": { "lat": 1 } })
        );
    }
}
