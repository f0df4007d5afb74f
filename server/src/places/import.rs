//! Takes a boundary set that was read into the database: all of it with its audit event, or nothing. The same file again
//! is no second import; a file that differs by a byte is another set, and the newer vintage is the one used.

use super::gazetteer::PROVINCE;
use super::model::{AreaRow, BoundarySet, BoundarySetId};
use super::read::{Problems, ReadArea, ReadSet};
use super::{store, wkb};
use crate::audit::{self, Event};
use crate::db::{At, Json, Tx};
use crate::error::Result;
use crate::feed::{self, Audience, What};

/// What an import came to.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The set as it stands in the database.
    pub set: BoundarySet,
    /// Whether it is new or was there already.
    pub outcome: ImportOutcome,
    /// What the importer should know, though it hindered nothing.
    pub warnings: Vec<String>,
}

/// Whether an import changed anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportOutcome {
    /// The set was added.
    Added,
    /// The very same file had been imported before; nothing was done.
    AlreadyThere,
}

/// Imports `read`.
pub fn import(tx: &mut Tx, read: &ReadSet) -> Result<Imported> {
    if let Some(set) = store::set_with_hash(tx.conn, &read.sha256)? {
        return Ok(Imported { set, outcome: ImportOutcome::AlreadyThere, warnings: Vec::new() });
    }
    parents_exist(tx, read)?;
    let set = set_row(tx, read);
    store::insert_set(tx.conn, &set)?;
    for area in &read.areas {
        store::insert_area(tx.conn, &area_row(&set.id, area)?)?;
    }
    feed::changed(tx, What::Boundaries, &set.set_id, Audience::Everyone)?;
    let details = serde_json::json!({
        "set_id": set.set_id, "level": set.level, "vintage": set.vintage, "sha256": set.sha256, "areas": set.area_count,
    });
    audit::record(tx, Event::new("boundary_set.imported", "boundary_set", &set.id, details))?;
    Ok(Imported { set, outcome: ImportOutcome::Added, warnings: read.warnings.clone() })
}

/// An area of the province that names a parent must name one that exists, where sets of that level are loaded.
fn parents_exist(tx: &mut Tx, read: &ReadSet) -> Result<()> {
    let known = store::codes_of_level(tx.conn, i32::from(read.head.level) - 1)?;
    let mut problems = Problems::default();
    for (at, area) in read.areas.iter().enumerate().filter(|_| !known.is_empty()) {
        if let Some(parent) =
            area.parent.as_ref().filter(|parent| parent.starts_with(PROVINCE) && !known.contains(*parent))
        {
            let message = format!(
                "its parent {parent} is in no set of level {}; correct it, or import that set first",
                read.head.level - 1
            );
            problems.with_feature(at, &area.name_en, message);
        }
    }
    problems.settle()
}

fn set_row(tx: &Tx, read: &ReadSet) -> BoundarySet {
    let head = &read.head;
    BoundarySet {
        id: BoundarySetId::from(tx.new_id()),
        set_id: head.set_id.clone(),
        level: i32::from(head.level),
        vintage: head.vintage.clone(),
        valid_from: head.valid_from.map(|date| date.to_string()),
        valid_to: head.valid_to.map(|date| date.to_string()),
        licence: head.licence.clone(),
        attribution: head.attribution.clone(),
        sha256: read.sha256.clone(),
        line_uncertainty_m: head.line_uncertainty_m,
        imported_at: At::from(tx.now()),
        area_count: i32::try_from(read.areas.len()).unwrap_or(i32::MAX),
    }
}

fn area_row(set: &BoundarySetId, area: &ReadArea) -> Result<AreaRow> {
    Ok(AreaRow {
        boundary_set_id: set.clone(),
        code: area.code.clone(),
        name_en: area.name_en.clone(),
        name_ur: area.name_ur.clone(),
        parent: area.parent.clone(),
        properties: Json::of(&area.properties)?,
        geometry: wkb::write(&area.shape),
    })
}
