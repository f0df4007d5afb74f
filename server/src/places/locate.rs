//! Tags a fix: which areas hold it, how far the line is, and which other districts it may lie in. What is outside stays
//! outside: there is no snapping, and nothing is decided by the nearest town, which is wrong one time in three here.

use super::gazetteer::{PROVINCE, gazetteer};
use super::index::{Area, Chosen, Layer};
use super::model::{Candidate, Coordinates, Fix, Named, PlaceStatus, PlaceTag};

/// Outside, but no farther than this, is `outside_near`.
const NEAR_M: f64 = 2_000.0;
/// No candidates are sought farther out than this, however poor the accuracy.
const REACH_M: f64 = 50_000.0;

/// Tags `fix` by the chosen sets.
pub(super) fn locate(chosen: &Chosen, fix: &Fix) -> PlaceTag {
    let Some(base) = chosen.district.or(chosen.province) else {
        return PlaceTag::bare(PlaceStatus::NoBoundarySet);
    };
    let mut tag = PlaceTag::bare(PlaceStatus::Outside);
    tag.set = Some(base.set.set_id.clone());
    let Ok(at) = Coordinates::new(fix.lat, fix.lon) else { return tag };
    let accuracy = fix.accuracy_m.filter(|metres| *metres >= 0.0).unwrap_or(0.0);

    let found = Found::at(chosen, at);
    let distance = found.distance_m(chosen, base, at);
    let reach = accuracy + base.set.line_uncertainty_m;
    tag.status = match distance {
        _ if found.inside() => PlaceStatus::Inside,
        Some(metres) if metres <= NEAR_M => PlaceStatus::OutsideNear,
        _ => PlaceStatus::Outside,
    };
    tag.distance_to_boundary_m = distance.map(decimetres);
    tag.ambiguous_gps = distance.is_some_and(|metres| metres <= accuracy);
    tag.near_boundary = distance.is_some_and(|metres| metres <= reach);
    let reach = if found.inside() { reach } else { reach.max(NEAR_M) };
    tag.candidates = candidates(chosen, &found, at, distance, reach.min(REACH_M));
    if found.inside() {
        found.name(chosen, at, &mut tag);
    }
    tag
}

/// The areas that hold a point.
struct Found<'i> {
    province: Option<&'i Area>,
    district: Option<(usize, &'i Area)>,
}

impl<'i> Found<'i> {
    fn at(chosen: &Chosen<'i>, at: Coordinates) -> Found<'i> {
        let containing =
            |layer: &'i Layer| layer.containing(at, |_| true).map(|area| (area, &layer.areas[area]));
        Found {
            province: chosen.province.and_then(containing).map(|(_, area)| area),
            district: chosen.district.and_then(containing),
        }
    }

    fn inside(&self) -> bool {
        self.province.is_some() || self.district.is_some()
    }

    /// To the nearest district line; from outside, to the nearest line of the province if that is closer.
    fn distance_m(&self, chosen: &Chosen, base: &Layer, at: Coordinates) -> Option<f64> {
        let distance = base.lines.nearest_m(at);
        if self.inside() {
            return distance;
        }
        let to_province = chosen.province.and_then(|layer| layer.lines.nearest_m(at));
        distance.into_iter().chain(to_province).min_by(f64::total_cmp)
    }

    fn name(&self, chosen: &Chosen, at: Coordinates, tag: &mut PlaceTag) {
        let district = self.district.map(|(_, area)| area);
        tag.province =
            self.province.map(|area| area.named.clone()).or_else(|| province_of(chosen, district?));
        tag.division = district.and_then(|area| area.division.clone());
        tag.district = district.map(|area| area.named.clone());
        // A tehsil of another district than the one found would contradict it: lines of two sets never agree to the metre.
        let ours =
            |area: &Area| area.parent.as_deref() == district.map(|district| district.named.code.as_str());
        let tehsil = chosen.tehsil.and_then(|layer| Some(&layer.areas[layer.containing(at, ours)?]));
        tag.tehsil = district.and(tehsil).map(|area| area.named.clone());
    }
}

/// The province a district names as its parent, where no province set holds the point.
fn province_of(chosen: &Chosen, district: &Area) -> Option<Named> {
    let code = match &district.parent {
        Some(parent) => parent.as_str(),
        None => district.named.code.starts_with(PROVINCE).then_some(PROVINCE)?,
    };
    let known = chosen.province.and_then(|layer| Some(layer.areas[layer.coded(code)?].named.clone()));
    known.or_else(|| (code == PROVINCE).then(|| gazetteer().province()))
}

/// The districts within `reach` metres, nearest first; the one that holds the point is at distance 0.
fn candidates(
    chosen: &Chosen,
    found: &Found,
    at: Coordinates,
    distance: Option<f64>,
    reach: f64,
) -> Vec<Candidate> {
    let Some(layer) = chosen.district else { return Vec::new() };
    let mut near: Vec<(f64, usize)> = found.district.iter().map(|&(area, _)| (0.0, area)).collect();
    // Most fixes are far from any line: then there is nothing to look for.
    if distance.is_some_and(|metres| metres <= reach) {
        layer.lines.within(at, reach, |area, metres| match near.iter_mut().find(|known| known.1 == area) {
            Some(known) => known.0 = known.0.min(metres),
            None => near.push((metres, area)),
        });
    }
    near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    near.into_iter().map(|(metres, area)| candidate(&layer.areas[area].named, metres)).collect()
}

fn candidate(named: &Named, metres: f64) -> Candidate {
    let Named { code, name_en, name_ur } = named.clone();
    Candidate { code, name_en, name_ur, distance_m: decimetres(metres) }
}

/// Metres to one decimal: finer than any line is known.
fn decimetres(metres: f64) -> f64 {
    (metres * 10.0).round() / 10.0
}

/// Whether the area with this code holds the point; none: no set has such an area.
pub(super) fn contains(chosen: &Chosen, at: Option<Coordinates>, code: &str) -> Option<bool> {
    let holds = |layer: &Layer, area: usize| at.is_some_and(|at| layer.holds(area, at));
    for layer in [chosen.district, chosen.tehsil, chosen.province].into_iter().flatten() {
        if let Some(area) = layer.coded(code) {
            return Some(holds(layer, area));
        }
    }
    // A division is its districts; so is a province whose own line is not loaded.
    let districts = chosen.district?;
    let of_code = |area: &Area| {
        area.division.as_ref().is_some_and(|division| division.code == code)
            || area.parent.as_deref() == Some(code)
    };
    let mut members = (0..districts.areas.len()).filter(|&at| of_code(&districts.areas[at])).peekable();
    members.peek()?;
    Some(members.any(|area| holds(districts, area)))
}
