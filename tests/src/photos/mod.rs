//! Files as a phone sends them: small, valid, and no two alike. They are built from bytes here so that the
//! repository holds no pictures and a test says what is special about its own.

mod camera;

use sha2::{Digest, Sha256};

pub use camera::{Camera, QUADRANTS, cmyk, heic, quadrants, snapshot, snapshot_of_size};

/// A file and the name a submission gives it.
#[derive(Clone, Debug)]
pub struct Photo {
    /// The name in the envelope's media list.
    pub name: String,
    /// Its content type.
    pub content_type: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Photo {
    /// A file of any content.
    pub fn new(name: &str, content_type: &'static str, bytes: Vec<u8>) -> Photo {
        Photo { name: name.to_owned(), content_type, bytes }
    }

    /// Its SHA-256 in hex.
    pub fn sha256(&self) -> String {
        hex::encode(Sha256::digest(&self.bytes))
    }
}

/// A grey JPEG of one pixel, with `mark` as its comment.
pub fn jpeg(name: &str, mark: &str) -> Photo {
    let mut bytes = JPEG_START.to_vec();
    comment(&mut bytes, mark.as_bytes());
    bytes.extend(jpeg_picture());
    Photo::new(name, "image/jpeg", bytes)
}

/// The JPEG with `mark` as one more comment: the same picture in another file.
pub fn marked(photo: &Photo, mark: &str) -> Photo {
    let mut bytes = photo.bytes[..2].to_vec();
    comment(&mut bytes, mark.as_bytes());
    bytes.extend(&photo.bytes[2..]);
    Photo::new(&photo.name, photo.content_type, bytes)
}

/// The first bytes of a JPEG of about `size` bytes: everything before the part that makes it unlike the next one.
/// `jpeg_end` completes it.
pub fn jpeg_padding(size: usize) -> Vec<u8> {
    const LONGEST: usize = 65_000;
    let mut bytes = JPEG_START.to_vec();
    let mut noise = 0x9E37_79B9_7F4A_7C15_u64;
    while bytes.len() < size {
        let length = LONGEST.min(size - bytes.len());
        let padding: Vec<u8> = std::iter::repeat_with(|| {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (noise >> 56) as u8
        })
        .take(length)
        .collect();
        comment(&mut bytes, &padding);
    }
    bytes
}

/// The last bytes of a JPEG begun with `jpeg_padding`, with `mark` as a comment of its own.
pub fn jpeg_end(mark: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    comment(&mut bytes, mark.as_bytes());
    bytes.extend(jpeg_picture());
    bytes
}

/// A grey PNG of one pixel, with `mark` as its text.
pub fn png(name: &str, mark: &str) -> Photo {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut bytes, b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]);
    chunk(&mut bytes, b"tEXt", &[b"Comment\0", mark.as_bytes()].concat());
    // One row: filter 0, one grey byte; a stored deflate block inside a zlib stream with its Adler-32.
    chunk(&mut bytes, b"IDAT", &[0x78, 1, 1, 2, 0, 0xfd, 0xff, 0, 0x80, 0, 0x82, 0, 0x81]);
    chunk(&mut bytes, b"IEND", &[]);
    Photo::new(name, "image/png", bytes)
}

/// A WebP of one pixel, with `mark` in a chunk of its own.
pub fn webp(name: &str, mark: &str) -> Photo {
    let mut chunks = b"WEBPVP8L\x0d\0\0\0\x2f\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07\0".to_vec();
    chunks.extend(b"MARK");
    chunks.extend((mark.len() as u32).to_le_bytes());
    chunks.extend(mark.as_bytes());
    chunks.resize(chunks.len().next_multiple_of(2), 0);
    let length = (chunks.len() as u32).to_le_bytes();
    Photo::new(name, "image/webp", [b"RIFF".as_slice(), &length, &chunks].concat())
}

/// A PNG that claims to be of `width` × `height` pixels and holds next to nothing.
pub fn png_claiming(name: &str, width: u32, height: u32) -> Photo {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    chunk(&mut bytes, b"IHDR", &[size.as_slice(), &[8, 2, 0, 0, 0]].concat());
    chunk(&mut bytes, b"IDAT", &[0x78, 1, 1, 2, 0, 0xfd, 0xff, 0, 0x80, 0, 0x82, 0, 0x81]);
    chunk(&mut bytes, b"IEND", &[]);
    Photo::new(name, "image/png", bytes)
}

/// A PDF of one empty page, with `mark` as a comment.
pub fn pdf(name: &str, mark: &str) -> Photo {
    let objects = [
        "1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n",
        "2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n",
        "3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>\nendobj\n",
    ];
    let mut text = format!("%PDF-1.4\n% {mark}\n");
    let mut table = String::from("xref\n0 4\n0000000000 65535 f \n");
    for object in objects {
        table += &format!("{:010} 00000 n \n", text.len());
        text += object;
    }
    let start = text.len();
    text += &format!("{table}trailer\n<</Size 4/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n");
    Photo::new(name, "application/pdf", text.into_bytes())
}

const JPEG_START: &[u8] =
    &[0xff, 0xd8, 0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0];

fn comment(bytes: &mut Vec<u8>, text: &[u8]) {
    bytes.extend([0xff, 0xfe]);
    bytes.extend((text.len() as u16 + 2).to_be_bytes());
    bytes.extend(text);
}

/// Tables and scan of a grey picture of 8 × 8 pixels: one code for "no difference", one for "end of block".
fn jpeg_picture() -> Vec<u8> {
    let one_code = |class: u8| {
        let mut table = vec![0xff, 0xc4, 0, 20, class, 1];
        table.extend([0; 16]);
        table
    };
    let mut bytes = vec![0xff, 0xdb, 0, 67, 0];
    bytes.extend([1; 64]);
    bytes.extend([0xff, 0xc0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0]);
    bytes.extend(one_code(0x00));
    bytes.extend(one_code(0x10));
    bytes.extend([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0x3f, 0xff, 0xd9]);
    bytes
}

fn chunk(bytes: &mut Vec<u8>, kind: &[u8; 4], content: &[u8]) {
    bytes.extend((content.len() as u32).to_be_bytes());
    let start = bytes.len();
    bytes.extend(kind);
    bytes.extend(content);
    let sum = crc32(&bytes[start..]);
    bytes.extend(sum.to_be_bytes());
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_png() {
        assert_eq!(crc32(b"IEND"), 0xae42_6082);
    }

    #[test]
    fn no_two_marks_make_the_same_file() {
        for make in [jpeg, png, webp, pdf] {
            assert_ne!(make("a", "one").sha256(), make("a", "two").sha256());
        }
    }

    #[test]
    fn a_padded_photo_has_about_the_size_asked_for() {
        let size = jpeg_padding(200 * 1024).len() + jpeg_end("x").len();

        assert!((204_800..206_000).contains(&size), "{size}");
    }
}
