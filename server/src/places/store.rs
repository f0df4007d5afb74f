//! Queries of places. No update here: a set that changed is another set.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::model::{AreaRow, BoundarySet, BoundarySetId};
use crate::db::DbConn;
use crate::db::schema::{boundary_areas, boundary_sets};
use crate::error::Result;

pub(super) fn insert_set(conn: &mut DbConn, set: &BoundarySet) -> Result<()> {
    diesel::insert_into(boundary_sets::table).values(set).execute(conn)?;
    Ok(())
}

pub(super) fn insert_area(conn: &mut DbConn, area: &AreaRow) -> Result<()> {
    diesel::insert_into(boundary_areas::table).values(area).execute(conn)?;
    Ok(())
}

/// All sets, in the order they were imported.
pub fn sets(conn: &mut DbConn) -> Result<Vec<BoundarySet>> {
    Ok(boundary_sets::table
        .order((boundary_sets::imported_at, boundary_sets::id))
        .select(BoundarySet::as_select())
        .load(conn)?)
}

pub(super) fn set_with_hash(conn: &mut DbConn, sha256: &str) -> Result<Option<BoundarySet>> {
    Ok(boundary_sets::table
        .filter(boundary_sets::sha256.eq(sha256.to_owned()))
        .select(BoundarySet::as_select())
        .first(conn)
        .optional()?)
}

/// The last import under this name.
pub(super) fn latest_set_named(conn: &mut DbConn, set_id: &str) -> Result<Option<BoundarySet>> {
    Ok(boundary_sets::table
        .filter(boundary_sets::set_id.eq(set_id.to_owned()))
        .order((boundary_sets::imported_at.desc(), boundary_sets::id.desc()))
        .select(BoundarySet::as_select())
        .first(conn)
        .optional()?)
}

pub(super) fn areas_of(conn: &mut DbConn, set: &BoundarySetId) -> Result<Vec<AreaRow>> {
    Ok(boundary_areas::table
        .filter(boundary_areas::boundary_set_id.eq(set.clone()))
        .order(boundary_areas::code)
        .select(AreaRow::as_select())
        .load(conn)?)
}

/// The codes of all areas of a level, over all sets.
pub(super) fn codes_of_level(conn: &mut DbConn, level: i32) -> Result<BTreeSet<String>> {
    let codes: Vec<String> = boundary_areas::table
        .inner_join(boundary_sets::table.on(boundary_sets::id.eq(boundary_areas::boundary_set_id)))
        .filter(boundary_sets::level.eq(level))
        .select(boundary_areas::code)
        .load(conn)?;
    Ok(codes.into_iter().collect())
}
