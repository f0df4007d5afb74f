//! The neighbourhood of a point without a spatial database: the country is divided into squares of 0.05° (cells) and of 0.5°
//! (zones), numbered row by row, and the facilities of a neighbourhood are those of a handful of squares.

use crate::error::{Error, Result};

/// Metres of a degree of latitude.
const METRES_A_DEGREE: f64 = 111_195.0;
const EARTH_M: f64 = 6_371_000.0;

/// No list of squares is longer: beyond it, the squares hold so much that they need not be listed.
const MOST: i32 = 600;

/// A size of squares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grid {
    Cells,
    Zones,
}

impl Grid {
    fn a_degree(self) -> f64 {
        match self {
            Grid::Cells => 20.0,
            Grid::Zones => 2.0,
        }
    }

    fn row(self, lat: f64) -> i32 {
        ((lat + 90.0) * self.a_degree()).floor() as i32
    }

    fn column(self, lon: f64) -> i32 {
        ((lon + 180.0) * self.a_degree()).floor() as i32
    }

    /// The number of the square that holds a point.
    pub(super) fn square(self, lat: f64, lon: f64) -> i32 {
        self.row(lat) * 10_000 + self.column(lon)
    }

    /// The squares that touch a box; none: too many to list.
    fn squares(self, within: &Box) -> Option<Vec<i32>> {
        let (rows, columns) = (
            self.row(within.south)..=self.row(within.north),
            self.column(within.west)..=self.column(within.east),
        );
        let count = (rows.end() - rows.start() + 1) * (columns.end() - columns.start() + 1);
        let all = || rows.flat_map(|row| columns.clone().map(move |column| row * 10_000 + column)).collect();
        (count <= MOST).then(all)
    }
}

/// A box in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Box {
    pub(super) west: f64,
    pub(super) south: f64,
    pub(super) east: f64,
    pub(super) north: f64,
}

impl Box {
    /// Reads `west,south,east,north`.
    pub(super) fn parse(text: &str) -> Result<Box> {
        let numbers: Option<Vec<f64>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
        let on_earth = |[west, south, east, north]: [f64; 4]| {
            let fits = |from: f64, to: f64, limit: f64| -limit <= from && from <= to && to <= limit;
            (fits(west, east, 180.0) && fits(south, north, 90.0)).then_some(Box { west, south, east, north })
        };
        numbers.and_then(|numbers| numbers.try_into().ok()).and_then(on_earth).ok_or_else(|| {
            Error::invalid("bad_bbox", "bbox is west,south,east,north in degrees: 66.9,30.1,67.1,30.3")
        })
    }

    /// The box around the circle of this radius.
    pub(super) fn around(lat: f64, lon: f64, radius_m: f64) -> Box {
        let high = radius_m / METRES_A_DEGREE;
        // Towards the poles a degree of longitude shrinks to nothing.
        let wide = high / lat.to_radians().cos().max(0.01);
        Box {
            west: (lon - wide).max(-180.0),
            south: (lat - high).max(-90.0),
            east: (lon + wide).min(180.0),
            north: (lat + high).min(90.0),
        }
    }

    /// The squares to look in, the smaller kind where they can be listed.
    pub(super) fn squares(&self) -> Option<(Grid, Vec<i32>)> {
        let of = |grid: Grid| grid.squares(self).map(|squares| (grid, squares));
        of(Grid::Cells).or_else(|| of(Grid::Zones))
    }
}

/// Metres between two points.
pub(super) fn metres(one: (f64, f64), other: (f64, f64)) -> f64 {
    let (lat, other_lat) = (one.0.to_radians(), other.0.to_radians());
    let (high, wide) = (other_lat - lat, (other.1 - one.1).to_radians());
    let half = (high / 2.0).sin().powi(2) + lat.cos() * other_lat.cos() * (wide / 2.0).sin().powi(2);
    2.0 * EARTH_M * half.sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_lists_the_squares_it_touches() {
        let city = Box::parse("66.9, 30.1,67.1,30.3").unwrap();
        let (grid, squares) = city.squares().unwrap();

        assert_eq!(grid, Grid::Cells);
        assert!(squares.contains(&Grid::Cells.square(30.1921, 67.0075)) && squares.len() <= 30);
        assert_eq!(Box::parse("60,24,71,33").unwrap().squares().unwrap().0, Grid::Zones);
        assert_eq!(Box::parse("-180,-90,180,90").unwrap().squares(), None);
        for bad in ["1,2,3", "67,30,66,31", "66,30,67,95", "a,b,c,d", "NaN,1,2,3", ""] {
            assert_eq!(Box::parse(bad).unwrap_err().code, "bad_bbox", "{bad}");
        }
    }

    #[test]
    fn metres_are_metres() {
        assert!((metres((30.0, 67.0), (30.0, 67.01)) - 963.0).abs() < 2.0);
        assert_eq!(metres((30.0, 67.0), (30.0, 67.0)), 0.0);
        let circle = Box::around(30.0, 67.0, 500.0);
        assert!((metres((30.0, 67.0), (circle.north, 67.0)) - 500.0).abs() < 2.0);
        assert!((metres((30.0, 67.0), (30.0, circle.east)) - 500.0).abs() < 2.0);
    }
}
