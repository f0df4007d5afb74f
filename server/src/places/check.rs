//! How the areas of a set lie to each other: they may not overlap, and gaps between them are worth knowing of.
//! Sizes are taken on the plane at each area's latitude: they are for judging and reading, not for surveying.

use geo::{Area, BooleanOps, BoundingRect, Intersects, MultiPolygon, Polygon, unary_union};

use super::lines::metres_per_degree;
use super::read::{Problems, ReadArea};

/// Overlaps of more than this share of the smaller area are refused: a fix there would have two districts.
const OVERLAP_SHARE: f64 = 0.01;
/// Overlaps and gaps below this are where lines drawn twice differ: 100 m by 100 m.
const NOTICED_KM2: f64 = 0.01;
/// At the equator, where a square degree is largest.
const KM2_PER_SQUARE_DEGREE: f64 = 12_364.0;
/// So many are named, the largest first.
const NAMED: usize = 10;

/// Refuses overlaps beyond tolerance, and warns of lesser ones and of gaps.
pub(super) fn neighbours(areas: &[ReadArea], problems: &mut Problems, warnings: &mut Vec<String>) {
    let covered = unary_union(areas.iter().map(|area| &area.shape));
    // Areas that add up to what they cover do not overlap; looking at every pair takes a hundred times as long.
    let excess: f64 =
        areas.iter().map(|area| area.shape.unsigned_area()).sum::<f64>() - covered.unsigned_area();
    if excess * KM2_PER_SQUARE_DEGREE >= NOTICED_KM2 {
        overlaps(areas, problems, warnings);
    }
    gaps(&covered, warnings);
}

fn overlaps(areas: &[ReadArea], problems: &mut Problems, warnings: &mut Vec<String>) {
    let bounds: Vec<_> = areas.iter().map(|area| area.shape.bounding_rect()).collect();
    for (at, area) in areas.iter().enumerate() {
        for (other_at, other) in areas.iter().enumerate().take(at) {
            let apart = bounds[at].zip(bounds[other_at]).is_none_or(|(a, b)| !a.intersects(&b));
            if apart {
                continue;
            }
            let shared = km2(&area.shape.intersection(&other.shape));
            let share = shared / km2(&area.shape).min(km2(&other.shape));
            if share > OVERLAP_SHARE {
                let message = format!(
                    "it overlaps {} by {shared:.2} km², {:.1} % of the smaller",
                    other.name_en,
                    share * 100.0
                );
                problems.with_feature(at, &area.name_en, message);
            } else if shared >= NOTICED_KM2 {
                warnings.push(format!("{} and {} overlap by {shared:.2} km²", area.name_en, other.name_en));
            }
        }
    }
}

/// Warns of holes in the ground the areas cover together.
fn gaps(covered: &MultiPolygon<f64>, warnings: &mut Vec<String>) {
    let holes = covered.0.iter().flat_map(|polygon| polygon.interiors());
    let holes = holes.map(|ring| Polygon::new(ring.clone(), vec![]));
    let mut gaps: Vec<(f64, String)> =
        holes.filter_map(|hole| Some((km2(&MultiPolygon(vec![hole.clone()])), middle(&hole)?))).collect();
    gaps.retain(|(size, _)| *size >= NOTICED_KM2);
    gaps.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (size, place) in gaps.iter().take(NAMED) {
        warnings.push(format!("no area covers {size:.2} km² around {place}"));
    }
    if let Some(more) = gaps.len().checked_sub(NAMED).filter(|more| *more > 0) {
        warnings.push(format!("no area covers {more} smaller gaps"));
    }
}

fn middle(hole: &Polygon<f64>) -> Option<String> {
    let middle = hole.bounding_rect()?.center();
    Some(format!("latitude {:.3}, longitude {:.3}", middle.y, middle.x))
}

fn km2(shape: &MultiPolygon<f64>) -> f64 {
    let Some(bounds) = shape.bounding_rect() else { return 0.0 };
    let [kx, ky] = metres_per_degree(bounds.center().y);
    shape.unsigned_area() * kx * ky / 1e6
}
