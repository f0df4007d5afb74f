//! Distances to boundary lines. The lines of every area, cut into short runs, lie in one R-tree in degrees; a search
//! measures in metres on the plane that touches the ellipsoid at the fix's latitude, and leaves out every box farther
//! than what it has. Against geodesic distances: within 0.1 % up to 100 km, 1 % beyond. The 180th meridian is not crossed.

use std::f64::consts::PI;

use geo::{CoordsIter, Distance, Geodesic, LineString, MultiPolygon, Point};
use rstar::{AABB, ParentNode, RTree, RTreeNode, RTreeObject};

use super::model::Coordinates;

/// Edges in a run. A tree of runs is built eight times faster than one of edges and searched as fast.
const RUN: usize = 12;

/// A few edges of one area's line, one after the other.
struct Run {
    area: usize,
    points: Box<[[f64; 2]]>,
    bounds: AABB<[f64; 2]>,
}

impl RTreeObject for Run {
    type Envelope = AABB<[f64; 2]>;

    fn envelope(&self) -> Self::Envelope {
        self.bounds
    }
}

/// All boundary lines of a set. A line two areas share is there twice, once for each.
pub(super) struct Lines {
    runs: RTree<Run>,
    /// Some of the lines' points on the unit sphere, for fixes so far off that no plane holds both.
    landmarks: Vec<Landmark>,
}

/// Farther than this, the plane of the fix is no measure.
const PLANE_M: f64 = 200_000.0;
/// Enough landmarks that from there the nearest is as near as the line.
const LANDMARKS: usize = 2048;

impl Lines {
    pub(super) fn of(shapes: &[MultiPolygon<f64>]) -> Lines {
        let rings = shapes.iter().enumerate().flat_map(|(area, shape)| {
            let rings = shape
                .0
                .iter()
                .flat_map(|polygon| std::iter::once(polygon.exterior()).chain(polygon.interiors()));
            rings.flat_map(move |ring| runs(area, ring))
        });
        let runs = RTree::bulk_load(rings.collect());
        let points = || shapes.iter().flat_map(CoordsIter::coords_iter);
        let step = points().count() / LANDMARKS + 1;
        Lines { runs, landmarks: points().step_by(step).map(|at| Landmark::at(at.x, at.y)).collect() }
    }

    /// Metres to the nearest line; none where there are no lines.
    pub(super) fn nearest_m(&self, at: Coordinates) -> Option<f64> {
        let plane = Plane::at(at);
        let mut best = Nearest { squared: f64::INFINITY, offset: [0.0, 0.0] };
        plane.search(self.runs.root(), &mut best);
        if best.squared < PLANE_M * PLANE_M {
            return Some(remeasured(at, best.offset));
        }
        let here = Landmark::at(at.lon(), at.lat());
        let closest = |best: (f64, Option<Point<f64>>), landmark: &Landmark| match here.closeness(landmark) {
            closer if closer > best.0 => (closer, Some(landmark.place)),
            _ => best,
        };
        let (_, nearest) = self.landmarks.iter().fold((f64::NEG_INFINITY, None), closest);
        Some(Geodesic.distance(here.place, nearest?))
    }

    /// Calls `found(area, metres)` for every edge within `radius_m`.
    pub(super) fn within(&self, at: Coordinates, radius_m: f64, mut found: impl FnMut(usize, f64)) {
        Plane::at(at).visit(self.runs.root(), radius_m * radius_m, &mut found);
    }
}

fn runs(area: usize, ring: &LineString<f64>) -> impl Iterator<Item = Run> {
    let last = ring.0.len().saturating_sub(1);
    (0..last).step_by(RUN).map(move |from| {
        let points: Box<[[f64; 2]]> =
            ring.0[from..=(from + RUN).min(last)].iter().map(|at| [at.x, at.y]).collect();
        let bounds = AABB::from_points(points.iter());
        Run { area, points, bounds }
    })
}

struct Landmark {
    place: Point<f64>,
    unit: [f64; 3],
}

impl Landmark {
    fn at(lon: f64, lat: f64) -> Landmark {
        let ((sin_lat, cos_lat), (sin_lon, cos_lon)) =
            (lat.to_radians().sin_cos(), lon.to_radians().sin_cos());
        Landmark { place: Point::new(lon, lat), unit: [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat] }
    }

    /// The cosine of the angle between the two: the larger, the closer.
    fn closeness(&self, other: &Landmark) -> f64 {
        let ([ax, ay, az], [bx, by, bz]) = (self.unit, other.unit);
        ax * bx + ay * by + az * bz
    }
}

struct Nearest {
    squared: f64,
    /// Degrees from the fix to the nearest point of the line.
    offset: [f64; 2],
}

/// The plane that touches the ellipsoid at a fix.
struct Plane {
    origin: [f64; 2],
    metres_per_degree: [f64; 2],
}

/// How many children rstar's default tree gives a node at most.
const CHILDREN: usize = 6;

impl Plane {
    fn at(at: Coordinates) -> Plane {
        Plane { origin: [at.lon(), at.lat()], metres_per_degree: metres_per_degree(at.lat()) }
    }

    /// Branch and bound: the nearest box first, and none that cannot hold anything nearer.
    fn search(&self, node: &ParentNode<Run>, best: &mut Nearest) {
        for children in node.children().chunks(CHILDREN) {
            let mut order = [(f64::INFINITY, 0); CHILDREN];
            for (at, child) in children.iter().enumerate() {
                order[at] = (self.squared_to_box(&child.envelope()), at);
            }
            let order = &mut order[..children.len()];
            order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
            for &(squared, at) in order.iter() {
                if squared < best.squared {
                    self.look_into(&children[at], best);
                }
            }
        }
    }

    fn look_into(&self, child: &RTreeNode<Run>, best: &mut Nearest) {
        match child {
            RTreeNode::Parent(inner) => self.search(inner, best),
            RTreeNode::Leaf(run) => {
                for edge in run.points.windows(2) {
                    let found = self.nearest_of_edge(edge);
                    if found.squared < best.squared {
                        *best = found;
                    }
                }
            }
        }
    }

    fn visit(&self, node: &ParentNode<Run>, squared_radius: f64, found: &mut impl FnMut(usize, f64)) {
        for child in node.children() {
            if self.squared_to_box(&child.envelope()) > squared_radius {
                continue;
            }
            match child {
                RTreeNode::Parent(inner) => self.visit(inner, squared_radius, found),
                RTreeNode::Leaf(run) => {
                    let edges = run.points.windows(2).map(|edge| self.nearest_of_edge(edge).squared);
                    let nearest = edges.fold(f64::INFINITY, f64::min);
                    if nearest <= squared_radius {
                        found(run.area, nearest.sqrt());
                    }
                }
            }
        }
    }

    fn squared_to_box(&self, bounds: &AABB<[f64; 2]>) -> f64 {
        let (lower, upper) = (bounds.lower(), bounds.upper());
        let beside = |axis: usize| {
            let outside = (lower[axis] - self.origin[axis]).max(self.origin[axis] - upper[axis]).max(0.0);
            outside * self.metres_per_degree[axis]
        };
        let (x, y) = (beside(0), beside(1));
        x * x + y * y
    }

    fn nearest_of_edge(&self, edge: &[[f64; 2]]) -> Nearest {
        let [kx, ky] = self.metres_per_degree;
        let local = |p: [f64; 2]| ((p[0] - self.origin[0]) * kx, (p[1] - self.origin[1]) * ky);
        let ((ax, ay), (bx, by)) = (local(edge[0]), local(edge[1]));
        let (dx, dy) = (bx - ax, by - ay);
        let length = dx * dx + dy * dy;
        let along = if length > 0.0 { (-(ax * dx + ay * dy) / length).clamp(0.0, 1.0) } else { 0.0 };
        let (x, y) = (ax + along * dx, ay + along * dy);
        // At a pole a degree of longitude is no distance at all.
        let degrees = |metres: f64, k: f64| if k > 0.0 { metres / k } else { 0.0 };
        Nearest { squared: x * x + y * y, offset: [degrees(x, kx), degrees(y, ky)] }
    }
}

/// The length of what the search found, measured again on the plane half way: that of the fix is off by a per cent
/// where the line is 50 km north or south.
fn remeasured(at: Coordinates, offset: [f64; 2]) -> f64 {
    let [kx, ky] = metres_per_degree(at.lat() + offset[1] / 2.0);
    (offset[0] * kx).hypot(offset[1] * ky)
}

/// Metres a degree of longitude and of latitude measure at latitude `lat` on the WGS 84 ellipsoid.
pub(super) fn metres_per_degree(lat: f64) -> [f64; 2] {
    const AXIS: f64 = 6_378_137.0;
    const ECCENTRICITY_SQUARED: f64 = 0.006_694_379_990_14;
    let (sin, cos) = lat.to_radians().sin_cos();
    let w = 1.0 - ECCENTRICITY_SQUARED * sin * sin;
    let across = AXIS / w.sqrt();
    let along = AXIS * (1.0 - ECCENTRICITY_SQUARED) / (w * w.sqrt());
    [(across * cos).max(0.0) * PI / 180.0, along * PI / 180.0]
}

#[cfg(test)]
mod tests {
    use geo::Polygon;

    use super::*;

    fn square(west: f64, south: f64, side: f64) -> MultiPolygon<f64> {
        let (east, north) = (west + side, south + side);
        let ring = vec![(west, south), (east, south), (east, north), (west, north), (west, south)];
        MultiPolygon(vec![Polygon::new(LineString::from(ring), vec![])])
    }

    #[test]
    fn distances_agree_with_the_geodesic() {
        let lines = Lines::of(&[square(66.0, 29.0, 1.0)]);
        for (dlon, dlat) in [(0.0001, 0.0), (0.003, 0.002), (0.05, 0.04), (0.4, 0.5), (0.9, 0.1)] {
            let (lat, lon) = (30.0 + dlat, 67.0 + dlon);

            let ours = lines.nearest_m(Coordinates::new(lat, lon).unwrap()).unwrap();

            let geodesic = Geodesic.distance(Point::new(lon, lat), Point::new(67.0, 30.0));
            assert!((ours / geodesic - 1.0).abs() < 0.001, "{ours} against {geodesic}");
        }
    }

    #[test]
    fn a_far_fix_is_measured_along_the_geodesic() {
        let lines = Lines::of(&[square(66.0, 29.0, 1.0)]);

        let ours = lines.nearest_m(Coordinates::new(0.0, 66.5).unwrap()).unwrap();

        let geodesic = Geodesic.distance(Point::new(66.5, 0.0), Point::new(66.5, 29.0));
        assert!((ours / geodesic - 1.0).abs() < 0.01, "{ours} against {geodesic}");
    }

    #[test]
    fn every_area_within_reach_is_found() {
        let lines = Lines::of(&[square(66.0, 29.0, 1.0), square(67.0, 29.0, 1.0), square(69.0, 29.0, 1.0)]);
        let mut near = Vec::new();

        lines.within(Coordinates::new(29.5, 66.999).unwrap(), 500.0, |area, metres| {
            near.push((area, metres.round()))
        });

        near.sort_by(|a, b| a.partial_cmp(b).unwrap());
        assert_eq!(near, [(0, 97.0), (1, 97.0)]);
    }

    #[test]
    fn no_position_on_earth_is_a_problem() {
        let lines = Lines::of(&[square(66.0, 29.0, 1.0)]);
        for (lat, lon) in [(90.0, 0.0), (-90.0, 180.0), (0.0, -180.0), (30.0, 67.0)] {
            assert!(lines.nearest_m(Coordinates::new(lat, lon).unwrap()).unwrap().is_finite());
        }
        assert_eq!(Lines::of(&[]).nearest_m(Coordinates::new(30.0, 67.0).unwrap()), None);
    }
}
