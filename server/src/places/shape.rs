//! One feature's geometry: polygons only, in longitude and latitude, with closed rings that do not cross.

use geo::{Area, Coord, LineString, MultiPolygon, Polygon, Validation, unary_union};
use geojson::{Geometry, GeometryValue, Position};

use super::read::Problems;

/// Takes the geometry as a MultiPolygon; none when something is wrong with it, which `problems` then says.
pub(super) fn of(
    geometry: Option<Geometry>,
    feature: usize,
    name: &str,
    problems: &mut Problems,
) -> Option<MultiPolygon<f64>> {
    let polygons = match geometry.map(|geometry| geometry.value) {
        Some(GeometryValue::Polygon { coordinates }) => vec![coordinates],
        Some(GeometryValue::MultiPolygon { coordinates }) if !coordinates.is_empty() => coordinates,
        other => {
            let what = other.map_or("no geometry", |geometry| geometry.type_name());
            problems.with_feature(
                feature,
                name,
                format!("it has {what} where a Polygon or MultiPolygon must be"),
            );
            return None;
        }
    };
    let faults = positions_at_fault(&polygons).map_or_else(|| rings_at_fault(&polygons), |fault| vec![fault]);
    if !faults.is_empty() {
        faults.into_iter().for_each(|fault| problems.with_feature(feature, name, fault));
        return None;
    }
    let shape = MultiPolygon(polygons.iter().filter_map(|rings| polygon(rings)).collect());
    let invalid = if is_simple(&shape) { Vec::new() } else { shape.validation_errors() };
    for fault in &invalid {
        problems.with_feature(feature, name, format!("its geometry is not valid: {fault}"));
    }
    invalid.is_empty().then_some(shape)
}

/// Whether the area within the rings is the area they enclose by their direction: where rings cross or parts overlap, it
/// is not. Takes milliseconds where the validation that names the fault takes seconds, so that runs only then.
fn is_simple(shape: &MultiPolygon<f64>) -> bool {
    let enclosed = shape.unsigned_area();
    let within = unary_union(std::iter::once(shape)).unsigned_area();
    enclosed > 0.0 && (within / enclosed - 1.0).abs() < 1e-6
}

/// Pakistan, generously: west, east, south, north.
const PAKISTAN: [f64; 4] = [60.5, 78.0, 23.0, 37.5];

fn positions_at_fault(polygons: &[Vec<Vec<Position>>]) -> Option<String> {
    let positions = || polygons.iter().flatten().flatten().map(point).map(|at| (at.x, at.y));
    let [west, east, south, north] = PAKISTAN;
    let swapped = |(x, y): (f64, f64)| (south..=north).contains(&x) && (west..=east).contains(&y);
    if positions().next().is_some() && positions().all(swapped) {
        return Some(
            "latitude stands before longitude: GeoJSON wants [longitude, latitude]; swap them".into(),
        );
    }
    let elsewhere = |&(x, y): &(f64, f64)| !((-180.0..=180.0).contains(&x) && (-90.0..=90.0).contains(&y));
    let (x, y) = positions().find(elsewhere)?;
    Some(format!("[{x}, {y}] is no longitude and latitude in degrees: convert the file to CRS84"))
}

fn rings_at_fault(polygons: &[Vec<Vec<Position>>]) -> Vec<String> {
    let mut faults = Vec::new();
    for (at, rings) in polygons.iter().enumerate() {
        if rings.is_empty() {
            faults.push(format!("polygon {at} has no ring"));
        }
        for (ring, positions) in rings.iter().enumerate() {
            if positions.len() < 4 {
                faults.push(format!(
                    "ring {ring} of polygon {at} has {} positions; a ring has at least 4",
                    positions.len()
                ));
            } else if positions.first().map(point) != positions.last().map(point) {
                faults.push(format!(
                    "ring {ring} of polygon {at} is not closed: repeat its first position at the end"
                ));
            }
        }
    }
    faults
}

/// The position without its altitude. One of fewer than two numbers, which GeoJSON's reader lets pass, is nowhere.
fn point(at: &Position) -> Coord<f64> {
    match at.as_slice() {
        [x, y, ..] => Coord { x: *x, y: *y },
        _ => Coord { x: f64::NAN, y: f64::NAN },
    }
}

fn polygon(rings: &[Vec<Position>]) -> Option<Polygon<f64>> {
    let mut rings = rings.iter().map(|ring| LineString(ring.iter().map(point).collect()));
    let exterior = rings.next()?;
    Some(Polygon::new(exterior, rings.collect()))
}
