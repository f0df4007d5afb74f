//! Decoding a photo and making the pictures that are shown of it: upright, bounded, and with nothing of the file but
//! its pixels. The one file that knows `image` and `fast_image_resize`. It takes files from strangers: how large the
//! picture claims to be is checked before anything is set aside for it.

use std::io::Cursor;

use fast_image_resize::Resizer;
use image::codecs::jpeg::JpegEncoder;
use image::error::ImageError;
use image::metadata::Orientation;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::kinds::MediaKind;

/// The longer side of the copy people look at.
const COPY: u32 = 2560;
const COPY_QUALITY: u8 = 85;
/// The longer side of a thumbnail.
const THUMB: u32 = 512;
const THUMB_QUALITY: u8 = 78;

/// The pictures made of a photo, as JPEG files.
pub(super) struct Pictures {
    /// Of the original, as it lies in the file.
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) copy: Vec<u8>,
    pub(super) thumb: Vec<u8>,
}

/// Why there are no pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// The file ends before the picture does.
    Truncated,
    /// The file is not what its first bytes promise.
    Damaged,
    /// It would take more room than is given.
    TooManyPixels,
    /// It is of a kind that is kept and not decoded.
    KeptOnly,
}

/// Makes copy and thumbnail of a photo of at most `max_pixels`. `orientation` is EXIF's number.
pub(super) fn develop(
    file: &[u8],
    kind: MediaKind,
    orientation: u8,
    max_pixels: u64,
) -> Result<Pictures, Unreadable> {
    let (picture, (width, height)) = decode(file, kind, max_pixels)?;
    let copy = upright(shrunk(picture, COPY)?, orientation);
    let copy_file = encode(&copy, COPY_QUALITY)?;
    let thumb_file = encode(&shrunk(copy, THUMB)?, THUMB_QUALITY)?;
    Ok(Pictures { width, height, copy: copy_file, thumb: thumb_file })
}

/// Makes only the thumbnail.
pub(super) fn thumbnail(
    file: &[u8],
    kind: MediaKind,
    orientation: u8,
    max_pixels: u64,
) -> Result<Vec<u8>, Unreadable> {
    let (picture, _) = decode(file, kind, max_pixels)?;
    encode(&upright(shrunk(picture, THUMB)?, orientation), THUMB_QUALITY)
}

fn decode(file: &[u8], kind: MediaKind, max_pixels: u64) -> Result<(DynamicImage, (u32, u32)), Unreadable> {
    let format = match kind {
        MediaKind::Jpeg => ImageFormat::Jpeg,
        MediaKind::Png => ImageFormat::Png,
        MediaKind::WebP => ImageFormat::WebP,
        MediaKind::Heic | MediaKind::Pdf => return Err(Unreadable::KeptOnly),
    };
    if ends_early(file, kind) {
        return Err(Unreadable::Truncated);
    }
    let room = max_pixels.saturating_mul(4);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(room);
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    reader.limits(limits);
    let decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > max_pixels || decoder.total_bytes() > room {
        return Err(Unreadable::TooManyPixels);
    }
    if width == 0 || height == 0 {
        return Err(Unreadable::Damaged);
    }
    Ok((plain(DynamicImage::from_decoder(decoder)?), (width, height)))
}

/// Whether the file says itself that more should come. Decoders make do with what there is, and paint the rest grey.
fn ends_early(file: &[u8], kind: MediaKind) -> bool {
    match kind {
        MediaKind::Jpeg => {
            scan_of(file).is_some_and(|scan| !scan.windows(2).any(|pair| pair == [0xff, 0xd9]))
        }
        MediaKind::WebP => {
            let length = file.get(4..8).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
            length.is_some_and(|length| file.len() < length as usize + 8)
        }
        _ => false,
    }
}

/// What follows a JPEG's headers. An end marker before that belongs to a thumbnail inside them.
fn scan_of(file: &[u8]) -> Option<&[u8]> {
    let mut at = 2;
    loop {
        match *file.get(at..at + 2)? {
            [0xff, 0xff] => at += 1,
            [0xff, 0xda] => return file.get(at + 2..),
            [0xff, 0x01 | 0xd0..=0xd8] => at += 2,
            [0xff, _] => {
                let length: [u8; 2] = file.get(at + 2..at + 4)?.try_into().ok()?;
                at += 2 + usize::from(u16::from_be_bytes(length)).max(2);
            }
            // Bytes between segments are passed over, as decoders do.
            _ => at += 1,
        }
    }
}

/// Eight bits a channel: grey, colour, or colour with transparency.
fn plain(picture: DynamicImage) -> DynamicImage {
    match picture {
        DynamicImage::ImageLuma8(_) | DynamicImage::ImageRgb8(_) | DynamicImage::ImageRgba8(_) => picture,
        DynamicImage::ImageLuma16(_) => DynamicImage::ImageLuma8(picture.into_luma8()),
        _ if picture.color().has_alpha() => DynamicImage::ImageRgba8(picture.into_rgba8()),
        _ => DynamicImage::ImageRgb8(picture.into_rgb8()),
    }
}

/// The picture with its longer side no longer than `longest`.
fn shrunk(picture: DynamicImage, longest: u32) -> Result<DynamicImage, Unreadable> {
    let (width, height) = (picture.width(), picture.height());
    let longer = width.max(height);
    if longer <= longest {
        return Ok(picture);
    }
    let half = u64::from(longer / 2);
    let scaled =
        |side: u32| (((u64::from(side) * u64::from(longest) + half) / u64::from(longer)) as u32).max(1);
    let mut small = DynamicImage::new(scaled(width), scaled(height), picture.color());
    match Resizer::new().resize(&picture, &mut small, None) {
        Ok(()) => Ok(small),
        Err(_) => Err(Unreadable::Damaged),
    }
}

/// The picture turned the way it was seen, transparency laid on white.
fn upright(mut picture: DynamicImage, orientation: u8) -> DynamicImage {
    picture.apply_orientation(Orientation::from_exif(orientation).unwrap_or(Orientation::NoTransforms));
    match picture {
        DynamicImage::ImageRgba8(pixels) => {
            DynamicImage::ImageRgb8(image::RgbImage::from_fn(pixels.width(), pixels.height(), |x, y| {
                let [r, g, b, a] = pixels.get_pixel(x, y).0.map(u32::from);
                image::Rgb([r, g, b].map(|channel| ((channel * a + 255 * (255 - a)) / 255) as u8))
            }))
        }
        opaque => opaque,
    }
}

fn encode(picture: &DynamicImage, quality: u8) -> Result<Vec<u8>, Unreadable> {
    let colour = match picture {
        DynamicImage::ImageLuma8(_) => ExtendedColorType::L8,
        _ => ExtendedColorType::Rgb8,
    };
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, quality).encode(
        picture.as_bytes(),
        picture.width(),
        picture.height(),
        colour,
    )?;
    Ok(file)
}

impl Unreadable {
    /// The word for it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Unreadable::Truncated => "truncated",
            Unreadable::Damaged => "damaged",
            Unreadable::TooManyPixels => "too_many_pixels",
            Unreadable::KeptOnly => "kept_only",
        }
    }
}

impl From<ImageError> for Unreadable {
    fn from(error: ImageError) -> Unreadable {
        match error {
            ImageError::Limits(_) => Unreadable::TooManyPixels,
            ImageError::IoError(cause) if cause.kind() == std::io::ErrorKind::UnexpectedEof => {
                Unreadable::Truncated
            }
            _ => Unreadable::Damaged,
        }
    }
}
