//! The boundary sets as they are looked up: per set an R-tree of bounding boxes over prepared polygons, the boundary
//! lines, and the areas by code. Built once, then only read. Where a set reaches beyond the province (a file of the whole
//! country), only the province's areas are indexed: everything else is outside, as it is to the people who use this.

use std::collections::HashMap;

use chrono::NaiveDate;
use geo::indexed::IntervalTreeMultiPolygon;
use geo::{BoundingRect, Contains, Coord, MultiPolygon};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

use super::gazetteer::{PROVINCE, gazetteer};
use super::lines::Lines;
use super::model::{AreaRow, BoundarySet, BoundarySetId, Coordinates, Named};
use super::wkb;
use crate::error::{Error, Result};

/// One area, ready to be asked whether it holds a point.
pub(super) struct Area {
    pub(super) named: Named,
    pub(super) parent: Option<String>,
    pub(super) division: Option<Named>,
    shape: IntervalTreeMultiPolygon<f64>,
}

impl Area {
    fn surrounds(&self, at: Coordinates) -> bool {
        self.shape.contains(&Coord { x: at.lon(), y: at.lat() })
    }
}

/// Nearer than this a point is on the line: a millimetre, what rounding costs.
const ON_LINE_M: f64 = 0.001;

/// One boundary set, indexed.
pub(super) struct Layer {
    pub(super) set: BoundarySet,
    pub(super) areas: Vec<Area>,
    pub(super) lines: Lines,
    boxes: RTree<GeomWithData<Rectangle<[f64; 2]>, usize>>,
    by_code: HashMap<String, usize>,
}

impl Layer {
    pub(super) fn build(set: BoundarySet, rows: Vec<AreaRow>) -> Result<Layer> {
        let rows = of_the_province(rows);
        let shapes = rows.iter().map(|row| shape(&set, row)).collect::<Result<Vec<_>>>()?;
        let boxes = shapes.iter().enumerate().filter_map(|(at, shape)| {
            let bounds = shape.bounding_rect()?;
            let (lower, upper) = (bounds.min(), bounds.max());
            Some(GeomWithData::new(Rectangle::from_corners([lower.x, lower.y], [upper.x, upper.y]), at))
        });
        let boxes = RTree::bulk_load(boxes.collect());
        let lines = Lines::of(&shapes);
        let areas = rows
            .iter()
            .zip(&shapes)
            .map(|(row, shape)| area(&set, row, shape))
            .collect::<Result<Vec<_>>>()?;
        let by_code = areas.iter().enumerate().map(|(at, area)| (area.named.code.clone(), at)).collect();
        Ok(Layer { set, areas, lines, boxes, by_code })
    }

    /// The area the point lies in. On a shared line it is in both, and the first by code is taken, always the same one.
    pub(super) fn containing(&self, at: Coordinates, wanted: impl Fn(&Area) -> bool) -> Option<usize> {
        let point = AABB::from_point([at.lon(), at.lat()]);
        let boxes = self.boxes.locate_in_envelope_intersecting(&point).map(|found| found.data);
        let within = boxes.filter(|&area| wanted(&self.areas[area]) && self.areas[area].surrounds(at)).min();
        within.or_else(|| self.on_line(at).filter(|&area| wanted(&self.areas[area])).min())
    }

    /// Whether the area lies around the point or has it on its line.
    pub(super) fn holds(&self, area: usize, at: Coordinates) -> bool {
        self.areas[area].surrounds(at) || self.on_line(at).any(|on| on == area)
    }

    fn on_line(&self, at: Coordinates) -> impl Iterator<Item = usize> {
        let mut areas = Vec::new();
        self.lines.within(at, ON_LINE_M, |area, _| areas.push(area));
        areas.into_iter()
    }

    /// The area with this code.
    pub(super) fn coded(&self, code: &str) -> Option<usize> {
        self.by_code.get(code).copied()
    }

    fn in_force(&self, on: Option<NaiveDate>) -> bool {
        let Some(on) = on else { return self.set.valid_to.is_none() };
        // Dates of one form compare as text.
        let on = on.to_string();
        self.set.valid_from.as_ref().is_none_or(|from| *from <= on)
            && self.set.valid_to.as_ref().is_none_or(|to| on < *to)
    }
}

fn shape(set: &BoundarySet, row: &AreaRow) -> Result<MultiPolygon<f64>> {
    wkb::read(&row.geometry).ok_or_else(|| {
        Error::internal(
            "reading a boundary",
            format!("the stored geometry of {} in {} is damaged", row.code, set.set_id),
        )
    })
}

fn area(set: &BoundarySet, row: &AreaRow, shape: &MultiPolygon<f64>) -> Result<Area> {
    let named = Named { code: row.code.clone(), name_en: row.name_en.clone(), name_ur: row.name_ur.clone() };
    let properties: serde_json::Map<String, serde_json::Value> = row.properties.read()?;
    let division = properties.get("division").and_then(|name| name.as_str()).filter(|name| !name.is_empty());
    let division = match (set.level, division) {
        (2, Some(name)) => Some(gazetteer().division_named(name)),
        (2, None) => gazetteer().division_of(&row.code),
        _ => None,
    };
    Ok(Area { named, parent: row.parent.clone(), division, shape: IntervalTreeMultiPolygon::new(shape) })
}

/// Leaves out what lies in other provinces, unless everything does (a set from elsewhere, or made up for a test).
fn of_the_province(rows: Vec<AreaRow>) -> Vec<AreaRow> {
    let ours = |row: &AreaRow| {
        row.code.starts_with(PROVINCE) || row.parent.as_ref().is_some_and(|p| p.starts_with(PROVINCE))
    };
    match rows.iter().any(ours) {
        true => rows.into_iter().filter(ours).collect(),
        false => rows,
    }
}

/// All sets, the newest first.
#[derive(Default)]
pub(super) struct Index {
    layers: Vec<Layer>,
}

/// The sets to look a fix up in: one a level.
pub(super) struct Chosen<'i> {
    pub(super) province: Option<&'i Layer>,
    pub(super) district: Option<&'i Layer>,
    pub(super) tehsil: Option<&'i Layer>,
}

impl Index {
    pub(super) fn of(mut layers: Vec<Layer>) -> Index {
        let rank = |layer: &Layer| (layer.set.date().to_owned(), layer.set.imported_at);
        layers.sort_by_key(|layer| std::cmp::Reverse(rank(layer)));
        Index { layers }
    }

    /// The sets in force on a day; without a day, those whose end is not known. Of several the newest vintage wins, of
    /// one vintage the last import. Where none is in force the newest stands in: lines slightly out of date place a fix
    /// better than none.
    pub(super) fn chosen(&self, on: Option<NaiveDate>) -> Chosen<'_> {
        let of_level = |level| self.layers.iter().filter(move |layer| layer.set.level == level);
        let newest =
            |level| of_level(level).find(|layer| layer.in_force(on)).or_else(|| of_level(level).next());
        Chosen { province: newest(1), district: newest(2), tehsil: newest(3) }
    }

    /// The imports this index was built from.
    pub(super) fn imports(&self) -> impl Iterator<Item = &BoundarySetId> {
        self.layers.iter().map(|layer| &layer.set.id)
    }
}
