//! Writing the register: every change of a facility is a row that moves, an event that stays, an entry in the audit log, and
//! word to the phones that hold it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::facts::Facts;
use super::model::{Deed, EventRow, Facility, FacilityId, LinkRow, RegistrationRow};
use super::{store, words};
use crate::audit::{self, Event};
use crate::db::{At, Json, Tx};
use crate::error::Result;
use crate::feed::{self, Audience, What};
use crate::places::HOME_PROVINCE;

/// What happened, besides to whom and when.
pub(super) struct Entry<'e> {
    pub(super) deed: Deed,
    /// The facts as they now are, where they changed.
    pub(super) facts: Option<&'e Facts>,
    /// The other facility it is about.
    pub(super) other: Option<&'e FacilityId>,
    /// Why.
    pub(super) reason: Option<String>,
}

impl<'e> Entry<'e> {
    pub(super) fn of(deed: Deed) -> Entry<'e> {
        Entry { deed, facts: None, other: None, reason: None }
    }
}

/// Enters a facility nobody knew.
pub(super) fn enter(tx: &mut Tx, row: &Facility, facts: &Facts) -> Result<()> {
    store::add(tx.conn, std::slice::from_ref(row))?;
    put_facts(tx, row, facts)?;
    let entry = Entry { facts: Some(facts), ..Entry::of(Deed::Registered) };
    note(tx, row, entry)?;
    announce(tx, row, [row.district.as_deref()])
}

/// Stores a facility that changed from `before`, and says what happened.
pub(super) fn amend(tx: &mut Tx, before: &Facility, row: &mut Facility, entry: Entry) -> Result<()> {
    row.revision = before.revision + 1;
    row.changed_at = At::from(tx.now());
    store::change(tx.conn, row)?;
    if let Some(facts) = entry.facts {
        put_facts(tx, row, facts)?;
    }
    note(tx, row, entry)?;
    announce(tx, row, [before.district.as_deref(), row.district.as_deref()])
}

/// Stores what moves without being a change of the facility's own: a visit, a risk, another district.
pub(super) fn touch(tx: &mut Tx, before: &Facility, row: &mut Facility, entry: Option<Entry>) -> Result<()> {
    row.touched = before.touched + 1;
    row.changed_at = At::from(tx.now());
    store::change(tx.conn, row)?;
    if let Some(entry) = entry {
        note(tx, row, entry)?;
    }
    announce(tx, row, [before.district.as_deref(), row.district.as_deref()])
}

fn put_facts(tx: &mut Tx, row: &Facility, facts: &Facts) -> Result<()> {
    store::set_registrations(tx.conn, &row.id, &RegistrationRow::all(&row.id, facts))?;
    store::set_links(tx.conn, &row.id, &link_rows(&row.id, facts))?;
    words::index(tx, row)
}

pub(super) fn link_rows(id: &FacilityId, facts: &Facts) -> Vec<LinkRow> {
    let others = facts.links.iter().filter(|link| link.facility != *id);
    let row = |link: &super::facts::Link| LinkRow {
        facility_id: id.clone(),
        other_id: link.facility.clone(),
        relation: link.relation,
    };
    others.map(row).collect()
}

/// The event of a deed; `n` counts the facility's events from one.
pub(super) fn event(tx: &Tx, row: &Facility, n: i32, entry: &Entry) -> Result<EventRow> {
    Ok(EventRow {
        facility_id: row.id.clone(),
        n,
        at: At::from(tx.now()),
        account_id: tx.by.account.clone(),
        device_id: tx.by.device.clone(),
        action: entry.deed,
        revision: row.revision,
        content_hash: entry.facts.map(|_| row.content_hash.clone()),
        facts: entry.facts.map(Json::of).transpose()?,
        other: entry.other.map(ToString::to_string),
        reason: entry.reason.clone(),
    })
}

/// Adds the event of a deed, and its entry in the audit log.
pub(super) fn note(tx: &mut Tx, row: &Facility, entry: Entry) -> Result<()> {
    let n = store::next_event(tx.conn, &row.id)?;
    let event = event(tx, row, n, &entry)?;
    store::add_events(tx.conn, &[event])?;
    audit::record(tx, Event::new(audited(entry.deed), "facility", &row.id, details(row, &entry)))
}

fn details(row: &Facility, entry: &Entry) -> Value {
    let mut details = json!({ "code": row.code, "revision": row.revision, "status": row.status });
    if let Some(other) = entry.other {
        details["other"] = json!(other);
    }
    if entry.facts.is_some() {
        details["content_hash"] = json!(row.content_hash);
    }
    details
}

fn audited(deed: Deed) -> &'static str {
    match deed {
        Deed::Registered => "facility.registered",
        Deed::Imported => "facility.imported",
        Deed::Revised => "facility.revised",
        Deed::Corrected => "facility.corrected",
        Deed::Confirmed => "facility.confirmed",
        Deed::Closed => "facility.closed",
        Deed::Reopened => "facility.reopened",
        Deed::Merged => "facility.merged",
        Deed::Absorbed => "facility.absorbed",
        Deed::Unmerged => "facility.unmerged",
        Deed::Released => "facility.released",
        Deed::Distinguished => "facility.distinguished",
        Deed::Relocated => "facility.relocated",
        Deed::Rated => "facility.rated",
    }
}

/// Tells the phones of the districts it lies in, and lay in, and of whoever registered it, who may work elsewhere. One
/// without a district is the province's affair.
pub(super) fn announce<'d>(
    tx: &mut Tx,
    row: &Facility,
    districts: impl IntoIterator<Item = Option<&'d str>>,
) -> Result<()> {
    let areas: BTreeSet<&str> = districts.into_iter().map(|it| it.unwrap_or(HOME_PROVINCE)).collect();
    for area in areas {
        feed::changed(tx, What::Facility, &row.id, Audience::Area(area.to_owned()))?;
    }
    match &row.registered_by {
        Some(account) => feed::changed(tx, What::Facility, &row.id, Audience::Account(account.clone())),
        None => Ok(()),
    }
}
