//! Registering a place from the field. The phone makes the id and may be offline for days: sending it twice is the same as
//! sending it once, and nothing it sends is lost because a neighbour was registered meanwhile.

use super::area::{self, Warning};
use super::facts::Facts;
use super::following::{self, Followers};
use super::ledger::{self, Entry};
use super::model::{Area, Deed, Facility, FacilityId, Status};
use super::sight::Sight;
use super::views::Registered;
use super::{Facilities, store, visits};
use crate::accounts::{Actor, Permission};
use crate::db::{At, Json, Tx};
use crate::error::{Error, Result};
use crate::places;

/// A registration ready to be stored.
struct Registration {
    id: FacilityId,
    facts: Facts,
    hash: String,
    area: Area,
    known: Option<i32>,
    account: String,
    sight: Sight,
}

impl Facilities {
    /// Registers a facility, or revises one that is still provisional; says whether anything was stored.
    pub(super) async fn register(
        &self,
        actor: Actor,
        id: FacilityId,
        body: &[u8],
        known: Option<i32>,
    ) -> Result<(bool, Registered)> {
        actor.may(Permission::RegisterFacilities)?;
        let sight = Sight::of(&actor)?;
        let facts = Facts::read(&crate::json::parse(body)?)?;
        if !sight.reaches(facts.kind.line()) {
            return Err(other_line(&facts));
        }
        let area = area::of(&self.places, &facts, only_district(&actor).as_deref());
        let warnings = area::warnings(&self.places, &facts, &area, &actor.areas);
        let hash = facts.hash()?;
        let account = actor.account.to_string();
        let followers = self.followers.clone();
        let registration = Registration { id, facts, hash, area, known, account, sight: sight.clone() };
        let (is_new, row) =
            self.db.write(actor.by(), move |tx| settle(tx, &followers, &registration)).await?;
        tracing::info!(facility.id = %row.id, is_new, "took in facility {}", row.code);
        Ok((is_new, self.registered(row, sight, warnings).await?))
    }

    /// The answer to a registration: the facility, and those it may be the same as.
    pub(super) async fn registered(
        &self,
        row: Facility,
        sight: Sight,
        warnings: Vec<Warning>,
    ) -> Result<Registered> {
        let today = self.today();
        self.db
            .read(move |conn| {
                let possible_duplicates = super::duplicates::of(conn, &row, &sight)?;
                let facility = super::views::view(conn, row, &sight, today)?;
                Ok(Registered { facility, possible_duplicates, warnings })
            })
            .await
    }
}

/// The district of somebody who works in one district only.
fn only_district(actor: &Actor) -> Option<String> {
    match actor.areas.as_slice() {
        [one] if places::district(one).is_some() => Some(one.clone()),
        _ => None,
    }
}

fn settle(tx: &mut Tx, followers: &Followers, new: &Registration) -> Result<(bool, Facility)> {
    store::lock(tx.conn, &[&new.id])?;
    let Some(before) = store::row(tx.conn, &new.id)? else {
        return match new.known {
            None => enter(tx, new).map(|row| (true, row)),
            Some(_) => Err(nothing_to_revise(&new.id)),
        };
    };
    let is_mine = before.registered_by.as_deref() == Some(new.account.as_str());
    if !is_mine && store::visible_row(tx.conn, &new.id, &new.sight)?.is_none() {
        return Err(Error::not_found(
            "facility_unknown",
            "you have registered no facility with this id; make a new id",
        ));
    }
    if store::was_sent(tx.conn, &new.id, &new.hash)? {
        return Ok((false, before));
    }
    match new.known {
        None => Err(other_facts(&before)),
        Some(revision) if revision != before.revision => Err(out_of_date(&before)),
        Some(_) if before.status != Status::Provisional || !is_mine => Err(not_yours_to_change(&before)),
        Some(_) => revise(tx, followers, new, before).map(|row| (true, row)),
    }
}

fn enter(tx: &mut Tx, new: &Registration) -> Result<Facility> {
    let code = next_code(tx, &new.area, &new.facts)?;
    let mut row =
        blank(new.id.clone(), code, Status::Provisional, Some(new.account.clone()), At::from(tx.now()))?;
    row.state(&new.facts, new.area.clone())?;
    ledger::enter(tx, &row, &new.facts)?;
    // The phone may have sent the inspection before the place.
    visits::recount(tx, &row.id)?;
    Ok(store::row(tx.conn, &row.id)?.unwrap_or(row))
}

fn revise(tx: &mut Tx, followers: &Followers, new: &Registration, before: Facility) -> Result<Facility> {
    let mut row = before.clone();
    row.state(&new.facts, new.area.clone())?;
    let entry = Entry { facts: Some(&new.facts), ..Entry::of(Deed::Revised) };
    ledger::amend(tx, &before, &mut row, entry)?;
    following::tell(tx, followers, &row.id, &before, &row)?;
    Ok(row)
}

/// The next code of the district and kind: `PK226-K-0042`.
pub(super) fn next_code(tx: &mut Tx, area: &Area, facts: &Facts) -> Result<String> {
    let place = area.district.as_deref().or(area.province.as_deref()).unwrap_or(places::HOME_PROVINCE);
    let series = format!("{place}-{}", facts.kind.letters());
    loop {
        let code = format!("{series}-{:04}", store::next_number(tx.conn, &series)?);
        // A file may have brought a code of the series along.
        if store::coded(tx.conn, std::slice::from_ref(&code))?.is_empty() {
            return Ok(code);
        }
    }
}

/// A facility of which nothing is known yet.
pub(super) fn blank(
    id: FacilityId,
    code: String,
    status: Status,
    registered_by: Option<String>,
    at: At,
) -> Result<Facility> {
    Ok(Facility {
        id,
        code,
        kind: String::new(),
        line: crate::accounts::Line::Labour,
        status,
        name_en: None,
        name_ur: None,
        facts: Json::of(&())?,
        content_hash: String::new(),
        revision: 1,
        touched: 0,
        merged_into: None,
        merged_directly: None,
        status_before: None,
        lat: None,
        lon: None,
        accuracy_m: None,
        cell: None,
        zone: None,
        province: None,
        division: None,
        district: None,
        tehsil: None,
        edition: None,
        capacity: None,
        risk: None,
        last_visited_at: None,
        visit_count: 0,
        registered_by,
        registered_at: at,
        changed_at: at,
    })
}

fn other_line(facts: &Facts) -> Error {
    let line = facts.kind.line();
    Error::forbidden(
        "other_line",
        format!("a {} belongs to the {line} line; ask a colleague of that line", facts.kind),
    )
}

fn nothing_to_revise(id: &FacilityId) -> Error {
    Error::stale(
        "nothing_to_revise",
        format!("no facility {id} is registered; send it without If-Match first"),
    )
}

fn other_facts(row: &Facility) -> Error {
    let detail = format!(
        "facility {} is registered with other facts; to change them send If-Match with the ETag it was read with",
        row.id
    );
    Error::conflict("facility_conflict", detail).with("revision", row.revision)
}

/// What is told to somebody who changes an older state than the stored one.
pub(super) fn out_of_date(row: &Facility) -> Error {
    let detail =
        format!("facility {} has moved on to revision {}; read it and change that one", row.id, row.revision);
    Error::stale("facility_stale", detail).with("revision", row.revision)
}

fn not_yours_to_change(row: &Facility) -> Error {
    let detail = format!(
        "facility {} is {} or was registered by somebody else; ask the district's supervisor to correct it",
        row.code, row.status
    );
    Error::forbidden("facility_not_yours", detail)
}
