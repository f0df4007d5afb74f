use std::time::Instant;
use geo::indexed::IntervalTreeMultiPolygon;
use geo::{MultiPolygon, BooleanOps, unary_union};
use crate::places::{read, ImportOptions, wkb};
use crate::places::lines::Lines;

#[test]
fn timing() {
    for f in ["bal_adm1","bal_adm2_2023_34","bal_adm3_tehsil_130"] {
        let bytes = std::fs::read(format!("/work/shared/geo/{f}.geojson")).unwrap();
        let t = Instant::now();
        let text = std::str::from_utf8(&bytes).unwrap();
        let g: geojson::GeoJson = text.parse().unwrap();
        eprintln!("{f} parse {:?}", t.elapsed());
        let geojson::GeoJson::FeatureCollection(c) = g else { return };
        let shapes: Vec<MultiPolygon<f64>> = c.features.into_iter().map(|f| { let g = f.geometry.unwrap(); match g.value { v @ geojson::GeometryValue::Polygon{..} => { let p: geo::Polygon<f64> = v.try_into().unwrap(); MultiPolygon(vec![p]) } v => v.try_into().unwrap() } }).collect();
        let t = Instant::now();
        let u = unary_union(shapes.iter());
        eprintln!("  union {:?} {}", t.elapsed(), u.0.len());
        let t = Instant::now();
        let w: Vec<_> = shapes.iter().map(wkb::write).collect();
        eprintln!("  wkb write {:?}", t.elapsed());
        let t = Instant::now();
        let r: Vec<_> = w.iter().map(|w| wkb::read(w).unwrap()).collect();
        eprintln!("  wkb read {:?}", t.elapsed());
        let t = Instant::now();
        let i: Vec<_> = r.iter().map(IntervalTreeMultiPolygon::new).collect();
        eprintln!("  interval {:?} {}", t.elapsed(), i.len());
        let t = Instant::now();
        let m: Vec<_> = r.iter().map(|s| geo::MonotonicPolygons::from(s.clone())).collect();
        eprintln!("  monotonic {:?} {}", t.elapsed(), m.len());
        let t = Instant::now();
        let _l = Lines::of(&r);
        eprintln!("  lines {:?}", t.elapsed());
        let t = Instant::now();
        let _ = read(&bytes, &ImportOptions::default()).unwrap();
        eprintln!("  read {:?}", t.elapsed());
    }
}
