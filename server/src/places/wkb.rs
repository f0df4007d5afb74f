//! Areas as Well-Known Binary (a little-endian MultiPolygon): half the size of GeoJSON, read without parsing numbers,
//! and understood by PostGIS, SpatiaLite and QGIS. Reads only what it wrote; anything else is `None`.

use geo::{Coord, LineString, MultiPolygon, Polygon};

const LITTLE_ENDIAN: u8 = 1;
const POLYGON: u32 = 3;
const MULTI_POLYGON: u32 = 6;

/// Writes `shape`.
pub(super) fn write(shape: &MultiPolygon<f64>) -> Vec<u8> {
    let mut out = Vec::new();
    header(&mut out, MULTI_POLYGON, shape.0.len());
    for polygon in &shape.0 {
        header(&mut out, POLYGON, 1 + polygon.interiors().len());
        for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
            out.extend(count(ring.0.len()));
            out.extend(ring.0.iter().flat_map(|at| [at.x, at.y]).flat_map(f64::to_le_bytes));
        }
    }
    out
}

fn header(out: &mut Vec<u8>, kind: u32, parts: usize) {
    out.push(LITTLE_ENDIAN);
    out.extend(kind.to_le_bytes());
    out.extend(count(parts));
}

fn count(n: usize) -> [u8; 4] {
    // An import is far below four thousand million points: the file's size is capped.
    u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes()
}

/// Reads what `write` wrote.
pub(super) fn read(bytes: &[u8]) -> Option<MultiPolygon<f64>> {
    let mut rest = bytes;
    let polygons = parts(&mut rest, MULTI_POLYGON)?;
    let shape = (0..polygons).map(|_| polygon(&mut rest)).collect::<Option<Vec<_>>>()?;
    rest.is_empty().then_some(MultiPolygon(shape))
}

fn polygon(rest: &mut &[u8]) -> Option<Polygon<f64>> {
    let rings = parts(rest, POLYGON)?;
    let mut rings = (0..rings).map(|_| ring(rest)).collect::<Option<Vec<_>>>()?.into_iter();
    let exterior = rings.next()?;
    Some(Polygon::new(exterior, rings.collect()))
}

fn ring(rest: &mut &[u8]) -> Option<LineString<f64>> {
    let points = number(rest)? as usize;
    let (numbers, after) = rest.split_at_checked(points.checked_mul(16)?)?;
    *rest = after;
    let at = |pair: &[u8]| {
        let (x, y) = pair.split_at(8);
        Some(Coord { x: f64::from_le_bytes(x.try_into().ok()?), y: f64::from_le_bytes(y.try_into().ok()?) })
    };
    numbers.chunks_exact(16).map(at).collect::<Option<Vec<_>>>().map(LineString)
}

fn parts(rest: &mut &[u8], kind: u32) -> Option<u32> {
    let (order, after) = rest.split_first()?;
    *rest = after;
    (*order == LITTLE_ENDIAN && number(rest)? == kind).then_some(())?;
    number(rest)
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (four, after) = rest.split_first_chunk::<4>()?;
    *rest = after;
    Some(u32::from_le_bytes(*four))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring_with_a_hole() -> MultiPolygon<f64> {
        let square = |from: f64, to: f64| {
            LineString::from(vec![(from, from), (to, from), (to, to), (from, to), (from, from)])
        };
        MultiPolygon(vec![
            Polygon::new(square(0.0, 9.0), vec![square(2.0, 3.5)]),
            Polygon::new(square(20.0, 21.0), vec![]),
        ])
    }

    #[test]
    fn what_is_written_is_read_back() {
        assert_eq!(read(&write(&ring_with_a_hole())), Some(ring_with_a_hole()));
    }

    #[test]
    fn damaged_bytes_are_none() {
        let bytes = write(&ring_with_a_hole());

        for cut in 0..bytes.len() {
            assert_eq!(read(&bytes[..cut]), None);
        }
        assert_eq!(read(&[bytes, vec![0]].concat()), None);
    }
}
