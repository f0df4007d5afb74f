//! Gives a boundary set back as GeoJSON, for maps on phones and in the console: its licence and attribution go with it,
//! and its own importer reads it again. The same set gives the same bytes, so the file's hash is their ETag.

use geo::MultiPolygon;
use geojson::{Feature, FeatureCollection, Geometry, GeometryValue, JsonObject};
use serde_json::{Value, json};

use super::model::{AreaRow, BoundarySet};
use super::{store, wkb};
use crate::db::DbConn;
use crate::error::{Error, Result};

/// The last import of the set named `set_id`.
pub fn set_named(conn: &mut DbConn, set_id: &str) -> Result<BoundarySet> {
    store::latest_set_named(conn, set_id)?.ok_or_else(|| {
        Error::not_found(
            "boundary_set_not_found",
            "there is no boundary set of this name; GET /v1/places/boundaries lists them",
        )
    })
}

/// Writes `set` as a GeoJSON FeatureCollection.
pub fn geojson(conn: &mut DbConn, set: &BoundarySet) -> Result<String> {
    let areas = store::areas_of(conn, &set.id)?;
    let mut collection =
        FeatureCollection::new(areas.iter().map(|area| feature(set, area)).collect::<Result<Vec<_>>>()?);
    let mut members = JsonObject::new();
    members.insert("name".into(), set.set_id.clone().into());
    members.insert("metadata".into(), metadata(set));
    collection.foreign_members = Some(members);
    Ok(collection.to_string())
}

fn metadata(set: &BoundarySet) -> Value {
    json!({
        "set_id": set.set_id, "level": set.level, "vintage": set.vintage,
        "valid_from": set.valid_from, "valid_to": set.valid_to,
        "licence": set.licence, "attribution": set.attribution,
        "line_uncertainty_m": set.line_uncertainty_m, "crs": "OGC:CRS84", "source_sha256": set.sha256,
    })
}

fn feature(set: &BoundarySet, area: &AreaRow) -> Result<Feature> {
    let damaged = || format!("the stored geometry of {} in {} is damaged", area.code, set.set_id);
    let shape: MultiPolygon<f64> =
        wkb::read(&area.geometry).ok_or_else(|| Error::internal("reading a boundary", damaged()))?;
    let mut properties: JsonObject = area.properties.read()?;
    properties.insert("pcode".into(), area.code.clone().into());
    properties.insert("name_en".into(), area.name_en.clone().into());
    properties.insert("name_ur".into(), area.name_ur.clone().into());
    properties.insert("parent".into(), area.parent.clone().into());
    properties.insert("level".into(), set.level.into());
    Ok(Feature {
        geometry: Some(Geometry::new(GeometryValue::from(&shape))),
        properties: Some(properties),
        ..Feature::default()
    })
}
