//! What a camera wrote into a photo besides the picture (EXIF): where and when it was taken, which way up, with what.
//! The one file that knows the `exif` crate. Nothing here can fail: what cannot be read was not written.

use exif::{DateTime, Exif, Field, In, Reader, Tag, Value};

use crate::db::storable;

/// The longest name of a camera that is kept.
const NAME: usize = 64;

/// What the camera wrote.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Camera {
    /// EXIF's own number, 1 to 8: which corner of the picture is up.
    pub(super) orientation: u8,
    /// RFC 3339; without an offset where the camera gave none.
    pub(super) taken_at: Option<String>,
    /// Latitude and longitude.
    pub(super) position: Option<(f64, f64)>,
    /// By how much the position may be wrong, in metres.
    pub(super) position_error_m: Option<f64>,
    pub(super) make: Option<String>,
    pub(super) model: Option<String>,
}

impl Default for Camera {
    fn default() -> Camera {
        Camera {
            orientation: 1,
            taken_at: None,
            position: None,
            position_error_m: None,
            make: None,
            model: None,
        }
    }
}

/// Reads what is written in a JPEG, PNG, WebP or HEIC file.
pub(super) fn read(file: &[u8]) -> Camera {
    let mut reader = Reader::new();
    let read = reader.continue_on_error(true).read_from_container(&mut std::io::Cursor::new(file));
    let Ok(exif) = read.or_else(|error| error.distill_partial_result(|_| ())) else {
        return Camera::default();
    };
    Camera {
        orientation: uint(&exif, Tag::Orientation).filter(|n| (1..=8).contains(n)).unwrap_or(1) as u8,
        taken_at: taken_at(&exif),
        position: position(&exif),
        position_error_m: number(&exif, Tag::GPSHPositioningError, 0).filter(|metres| *metres >= 0.0),
        make: name(&exif, Tag::Make),
        model: name(&exif, Tag::Model),
    }
}

fn field(exif: &Exif, tag: Tag) -> Option<&Field> {
    exif.get_field(tag, In::PRIMARY)
}

fn uint(exif: &Exif, tag: Tag) -> Option<u32> {
    field(exif, tag)?.value.get_uint(0)
}

fn ascii(exif: &Exif, tag: Tag) -> Option<&[u8]> {
    match &field(exif, tag)?.value {
        Value::Ascii(texts) => texts.first().map(Vec::as_slice),
        _ => None,
    }
}

/// The `at`-th of the field's fractions, if it is a number at all.
fn number(exif: &Exif, tag: Tag, at: usize) -> Option<f64> {
    match &field(exif, tag)?.value {
        Value::Rational(all) => all.get(at).map(|fraction| fraction.to_f64()),
        _ => None,
    }
    .filter(|number| number.is_finite())
}

fn name(exif: &Exif, tag: Tag) -> Option<String> {
    let text = String::from_utf8_lossy(ascii(exif, tag)?).into_owned();
    let text: String = storable(text.trim_matches(['\0', ' ']).to_owned()).chars().take(NAME).collect();
    Some(text).filter(|text| !text.is_empty())
}

/// The position. A phone without a fix writes nothing, or zeros: no visit takes place at 0° N 0° E.
fn position(exif: &Exif) -> Option<(f64, f64)> {
    let lat = degrees(exif, Tag::GPSLatitude, Tag::GPSLatitudeRef, b'S')?;
    let lon = degrees(exif, Tag::GPSLongitude, Tag::GPSLongitudeRef, b'W')?;
    let exists = lat.abs() <= 90.0 && lon.abs() <= 180.0 && (lat != 0.0 || lon != 0.0);
    exists.then_some((lat, lon))
}

fn degrees(exif: &Exif, tag: Tag, side: Tag, negative: u8) -> Option<f64> {
    let part = |at| number(exif, tag, at);
    // Degrees alone, or with minutes, may be all there is; a part that is there but no number spoils the whole.
    let parts = match &field(exif, tag)?.value {
        Value::Rational(all) => all.len(),
        _ => 0,
    };
    let minutes = if parts > 1 { part(1)? } else { 0.0 };
    let seconds = if parts > 2 { part(2)? } else { 0.0 };
    let size = part(0)? + minutes / 60.0 + seconds / 3600.0;
    let is_negative = ascii(exif, side).and_then(|text| text.first()) == Some(&negative);
    Some(if is_negative { -size } else { size })
}

/// When the shutter was pressed. The GPS's own time is older than the picture by the age of its fix, so it is not used.
fn taken_at(exif: &Exif) -> Option<String> {
    let (when, offset) = match ascii(exif, Tag::DateTimeOriginal) {
        Some(when) => (when, ascii(exif, Tag::OffsetTimeOriginal)),
        None => (ascii(exif, Tag::DateTime)?, ascii(exif, Tag::OffsetTime)),
    };
    let mut when = DateTime::from_ascii(when).ok()?;
    if let Some(offset) = offset {
        let _ = when.parse_offset(offset);
    }
    let local = chrono::NaiveDate::from_ymd_opt(when.year.into(), when.month.into(), when.day.into())?
        .and_hms_opt(when.hour.into(), when.minute.into(), when.second.into())?;
    let offset = when.offset.filter(|minutes| minutes.abs() < 24 * 60);
    let suffix = offset.map(|minutes| {
        let sign = if minutes < 0 { '-' } else { '+' };
        format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
    });
    Some(format!("{}{}", local.format("%Y-%m-%dT%H:%M:%S"), suffix.unwrap_or_default()))
}
