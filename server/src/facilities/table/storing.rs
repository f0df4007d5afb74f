//! Storing the good lines of a batch in one unit of work. A line that somebody else stored meanwhile is left alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use super::lines::{Checked, Good};
use crate::audit::{self, Event};
use crate::db::{At, By, Tx};
use crate::error::Result;
use crate::facilities::ledger::{self, Entry};
use crate::facilities::model::{Deed, Facility, FacilityId, RegistrationRow};
use crate::facilities::{Facilities, register, store, visits, words};

impl Facilities {
    /// Stores what is new among the lines; returns how many that were.
    pub(super) fn store(&self, checked: Vec<Checked>, by: &By) -> Result<u64> {
        let good = checked
            .into_iter()
            .filter_map(|line| if let Checked::New(good) = line { Some(good) } else { None });
        let good: Arc<[Box<Good>]> = good.collect();
        match good.is_empty() {
            true => Ok(0),
            false => self.db.write_here(by.clone(), move |tx| enter(tx, &good)),
        }
    }
}

fn enter(tx: &mut Tx, lines: &[Box<Good>]) -> Result<u64> {
    let lines = unknown(tx, lines)?;
    let mut rows = Vec::with_capacity(lines.len());
    for line in &lines {
        rows.push(facility(tx, line)?);
    }
    store::add(tx.conn, &rows)?;
    enter_parts(tx, &lines, &rows)?;
    for row in &rows {
        ledger::announce(tx, row, [row.district.as_deref()])?;
    }
    let ids: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
    for id in store::visited_among(tx.conn, &ids)? {
        visits::recount(tx, &id)?;
    }
    let details = json!({ "count": rows.len() });
    if let Some(first) = rows.first() {
        audit::record(tx, Event::new("facilities.imported", "facility", &first.id, details))?;
    }
    Ok(rows.len() as u64)
}

/// The lines nobody has stored since they were checked.
fn unknown<'l>(tx: &mut Tx, lines: &'l [Box<Good>]) -> Result<Vec<&'l Good>> {
    let ids: Vec<FacilityId> = lines.iter().map(|line| line.id.clone()).collect();
    let codes: Vec<String> = lines.iter().filter_map(|line| line.code.clone()).collect();
    let rows = store::rows(tx.conn, &ids)?.into_iter().chain(store::coded(tx.conn, &codes)?);
    let known: BTreeSet<String> = rows.flat_map(|row| [row.id.to_string(), row.code]).collect();
    let is_known = |line: &Good| {
        known.contains(line.id.as_str()) || line.code.as_ref().is_some_and(|code| known.contains(code))
    };
    Ok(lines.iter().map(|line| &**line).filter(|line| !is_known(line)).collect())
}

fn facility(tx: &mut Tx, line: &Good) -> Result<Facility> {
    let code = match &line.code {
        Some(code) => code.clone(),
        None => register::next_code(tx, &line.area, &line.facts)?,
    };
    let at = At::from(tx.now());
    let mut row = register::blank(line.id.clone(), code, line.status, tx.by.account.clone(), at)?;
    row.state(&line.facts, line.area.clone())?;
    Ok(row)
}

/// Registrations, links, words and events of a batch, each in one go.
fn enter_parts(tx: &mut Tx, lines: &[&Good], rows: &[Facility]) -> Result<()> {
    let (mut registrations, mut links, mut index, mut events) = (vec![], vec![], vec![], vec![]);
    let mut new_words = BTreeSet::new();
    for (line, row) in lines.iter().zip(rows) {
        registrations.extend(RegistrationRow::all(&row.id, &line.facts));
        links.extend(ledger::link_rows(&row.id, &line.facts));
        let of_row = words::of(&line.facts);
        index.extend(words::rows(&row.id, &of_row));
        new_words.extend(of_row);
        let entry = Entry { facts: Some(&line.facts), ..Entry::of(Deed::Imported) };
        events.push(ledger::event(tx, row, 1, &entry)?);
    }
    store::add_registrations(tx.conn, &registrations)?;
    store::add_links(tx.conn, &links)?;
    store::add_words(tx.conn, &index)?;
    store::add_events(tx.conn, &events)?;
    words::spell(tx.conn, new_words.iter().map(String::as_str))
}
