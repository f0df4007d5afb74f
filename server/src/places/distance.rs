//! How far apart two points are.

use geo::{Distance, Haversine, Point};

/// The great-circle distance in metres between two points given as latitude and longitude; the sphere is within 0.5 %
/// of the Earth.
pub fn distance_m(from: (f64, f64), to: (f64, f64)) -> f64 {
    let point = |(lat, lon)| Point::new(lon, lat);
    Haversine.distance(point(from), point(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn towns_are_as_far_apart_as_maps_say() {
        let (quetta, turbat, gwadar) = ((30.1841, 67.0014), (26.0012, 63.0485), (25.1264, 62.3225));

        assert!((distance_m(quetta, turbat) / 1000.0 - 604.0).abs() < 6.0, "{}", distance_m(quetta, turbat));
        assert!((distance_m(turbat, gwadar) / 1000.0 - 121.0).abs() < 3.0, "{}", distance_m(turbat, gwadar));
        assert_eq!(distance_m(quetta, quetta), 0.0);
        assert_eq!(distance_m(quetta, turbat), distance_m(turbat, quetta));
    }
}
