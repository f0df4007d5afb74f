//! Photos as cameras write them: pictures with an EXIF segment that says where, when and which way up. The segment is
//! written by hand (TIFF, big-endian), so that the server's reader is not tested against itself.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, Rgb, RgbImage};

use super::Photo;

/// What the camera writes beside the picture.
#[derive(Clone, Debug)]
pub struct Camera {
    /// EXIF's number, 1 to 8.
    pub orientation: u16,
    /// Latitude and longitude.
    pub position: Option<(f64, f64)>,
    /// `2026:11:20 12:30:00`, local.
    pub taken_at: Option<&'static str>,
    /// `+05:00`.
    pub offset: Option<&'static str>,
    /// The camera's name.
    pub model: &'static str,
}

impl Default for Camera {
    fn default() -> Camera {
        Camera { orientation: 1, position: None, taken_at: None, offset: None, model: "Feldkamera 9" }
    }
}

/// The colours of `quadrants`: top left, top right, bottom left, bottom right.
pub const QUADRANTS: [[u8; 3]; 4] = [[220, 20, 20], [20, 200, 20], [20, 20, 220], [240, 240, 240]];

/// A picture whose four quarters have each their own colour, as somebody sees it who holds it upright.
pub fn quadrants(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let at = usize::from(x >= width / 2) + 2 * usize::from(y >= height / 2);
        Rgb(QUADRANTS[at])
    })
}

/// A photo of 60 × 40 as seen, laid into the file the way `camera` held it.
pub fn snapshot(name: &str, camera: &Camera) -> Photo {
    let picture = laid_down(&quadrants(60, 40), camera.orientation);
    Photo::new(name, "image/jpeg", with_exif(&jpeg_of(&picture, 95), &exif(camera)))
}

/// A photo of `width` × `height` with so much detail that it weighs about what a telephone's does.
pub fn snapshot_of_size(name: &str, width: u32, height: u32, camera: &Camera) -> Photo {
    let mut noise = 0x9E37_79B9_u32;
    let picture = RgbImage::from_fn(width, height, |x, y| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (speck, wave) = ((noise >> 24) / 9, (x / 7 + y / 5) % 160);
        Rgb([
            (wave + speck) as u8,
            (80 + (x * 90 / width) + speck) as u8,
            (60 + (y * 120 / height) + speck) as u8,
        ])
    });
    Photo::new(name, "image/jpeg", with_exif(&jpeg_of(&picture, 90), &exif(camera)))
}

/// The pixels as they lie in a file of this orientation (EXIF 2.3, tag 274: which side row 0 and column 0 are).
fn laid_down(seen: &RgbImage, orientation: u16) -> RgbImage {
    let (width, height) = seen.dimensions();
    let (right, bottom) = (width - 1, height - 1);
    let (columns, rows) = if orientation >= 5 { (height, width) } else { (width, height) };
    RgbImage::from_fn(columns, rows, |column, row| {
        let (x, y) = match orientation {
            2 => (right - column, row),
            3 => (right - column, bottom - row),
            4 => (column, bottom - row),
            5 => (row, column),
            6 => (right - row, column),
            7 => (right - row, bottom - column),
            8 => (row, bottom - column),
            _ => (column, row),
        };
        *seen.get_pixel(x, y)
    })
}

fn jpeg_of(picture: &RgbImage, quality: u8) -> Vec<u8> {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, quality)
        .encode(picture.as_raw(), picture.width(), picture.height(), ExtendedColorType::Rgb8)
        .expect("a picture can be encoded");
    file
}

/// The JPEG with an APP1 segment as its first.
fn with_exif(jpeg: &[u8], tiff: &[u8]) -> Vec<u8> {
    let mut file = jpeg[..2].to_vec();
    file.extend([0xff, 0xe1]);
    file.extend((tiff.len() as u16 + 8).to_be_bytes());
    file.extend(b"Exif\0\0");
    file.extend(tiff);
    file.extend(&jpeg[2..]);
    file
}

const ASCII: u16 = 2;
const SHORT: u16 = 3;
const LONG: u16 = 4;
const RATIONAL: u16 = 5;

type Entry = (u16, u16, Vec<u8>);

fn text(tag: u16, value: &str) -> Entry {
    (tag, ASCII, [value.as_bytes(), b"\0"].concat())
}

fn exif(camera: &Camera) -> Vec<u8> {
    let mut details = Vec::new();
    details.extend(camera.taken_at.map(|at| text(0x9003, at)));
    details.extend(camera.offset.map(|offset| text(0x9011, offset)));
    let mut gps = Vec::new();
    if let Some((lat, lon)) = camera.position {
        gps.push(text(1, if lat < 0.0 { "S" } else { "N" }));
        gps.push((2, RATIONAL, degrees(lat)));
        gps.push(text(3, if lon < 0.0 { "W" } else { "E" }));
        gps.push((4, RATIONAL, degrees(lon)));
        gps.push((31, RATIONAL, fraction(12, 1)));
    }
    let first = |details_at: u32, gps_at: u32| {
        vec![
            text(0x010f, "Nigran"),
            text(0x0110, camera.model),
            (0x0112, SHORT, camera.orientation.to_be_bytes().to_vec()),
            (0x8769, LONG, details_at.to_be_bytes().to_vec()),
            (0x8825, LONG, gps_at.to_be_bytes().to_vec()),
        ]
    };
    let details_at = 8 + directory(&first(0, 0), 8).len() as u32;
    let details = directory(&details, details_at);
    let gps_at = details_at + details.len() as u32;
    let head = directory(&first(details_at, gps_at), 8);
    [b"MM\0\x2a\0\0\0\x08".as_slice(), &head, &details, &directory(&gps, gps_at)].concat()
}

/// An image file directory that begins at `at`, followed by the values that do not fit into it.
fn directory(entries: &[Entry], at: u32) -> Vec<u8> {
    let mut table = (entries.len() as u16).to_be_bytes().to_vec();
    let mut values: Vec<u8> = Vec::new();
    let values_at = at + 2 + 12 * entries.len() as u32 + 4;
    for (tag, kind, value) in entries {
        let unit = match *kind {
            SHORT => 2,
            LONG => 4,
            RATIONAL => 8,
            _ => 1,
        };
        table.extend(tag.to_be_bytes());
        table.extend(kind.to_be_bytes());
        table.extend((value.len() as u32 / unit).to_be_bytes());
        let mut inline = value.clone();
        if value.len() > 4 {
            inline = (values_at + values.len() as u32).to_be_bytes().to_vec();
            values.extend(value);
            values.resize(values.len().next_multiple_of(2), 0);
        }
        inline.resize(4, 0);
        table.extend(inline);
    }
    table.extend([0; 4]);
    table.extend(values);
    table
}

fn fraction(above: u32, below: u32) -> Vec<u8> {
    [above.to_be_bytes(), below.to_be_bytes()].concat()
}

fn degrees(angle: f64) -> Vec<u8> {
    let hundredths = (angle.abs() * 360_000.0).round() as u32;
    let (degrees, rest) = (hundredths / 360_000, hundredths % 360_000);
    [fraction(degrees, 1), fraction(rest / 6000, 1), fraction(rest % 6000, 100)].concat()
}

/// A CMYK JPEG of 8 × 8 pixels, as printers' software writes them: four components and Adobe's mark.
pub fn cmyk(name: &str) -> Photo {
    let mut bytes = vec![0xff, 0xd8];
    bytes.extend(b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0");
    bytes.extend([0xff, 0xdb, 0, 67, 0]);
    bytes.extend([1; 64]);
    bytes.extend([0xff, 0xc0, 0, 20, 8, 0, 8, 0, 8, 4]);
    (1..=4).for_each(|component| bytes.extend([component, 0x11, 0]));
    for class in [0x00, 0x10] {
        bytes.extend([0xff, 0xc4, 0, 20, class, 1]);
        bytes.extend([0; 16]);
    }
    bytes.extend([0xff, 0xda, 0, 14, 4]);
    (1..=4).for_each(|component| bytes.extend([component, 0]));
    // Each component: "no difference", "end of block", one bit each.
    bytes.extend([0, 63, 0, 0x00, 0xff, 0xd9]);
    Photo::new(name, "image/jpeg", bytes)
}

/// The beginning of a HEIC file, with `mark` where the picture would be.
pub fn heic(name: &str, mark: &str) -> Photo {
    let mut bytes = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec();
    bytes.extend((mark.len() as u32 + 8).to_be_bytes());
    bytes.extend(b"mdat");
    bytes.extend(mark.as_bytes());
    Photo::new(name, "image/heic", bytes)
}
