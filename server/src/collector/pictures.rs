//! Pictures as a phone's camera and a finger on its screen make them: valid files of the size asked for, no two alike.
//! Nothing can be seen on them; what matters is that every byte must arrive.

use super::chance::Chance;
use super::model::Picture;

/// Sizes of what visits carry, in bytes: least and most.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Photos.
    pub photo: (u64, u64),
    /// Signatures and sketches.
    pub signature: (u64, u64),
}

impl Default for Sizes {
    fn default() -> Sizes {
        Sizes { photo: (60_000, 240_000), signature: (4_000, 9_000) }
    }
}

/// A picture of the kind its name promises.
pub fn picture(name: &str, sizes: &Sizes, chance: &mut Chance) -> Picture {
    let between = |chance: &mut Chance, (least, most)| chance.between(least, most) as usize;
    let (content_type, bytes) = match name.rsplit('.').next() {
        Some("png") => ("image/png", png(between(chance, sizes.signature), chance)),
        Some("pdf") => ("application/pdf", pdf(between(chance, sizes.photo), chance)),
        Some("webp") => ("image/webp", webp(between(chance, sizes.photo), chance)),
        _ => ("image/jpeg", jpeg(between(chance, sizes.photo), chance)),
    };
    Picture { name: name.to_owned(), content_type: content_type.to_owned(), bytes }
}

fn noise(length: usize, chance: &mut Chance) -> Vec<u8> {
    let mut bytes = vec![0; length];
    chance.fill(&mut bytes);
    bytes
}

/// A grey JPEG of 8 × 8 pixels with comments of noise.
fn jpeg(size: usize, chance: &mut Chance) -> Vec<u8> {
    const LONGEST: usize = 65_000;
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0, 0, 16];
    bytes.extend(b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    let rest = scan();
    let mut left = size.saturating_sub(bytes.len() + rest.len()).max(16);
    while left > 0 {
        let length = left.min(LONGEST);
        bytes.extend([0xff, 0xfe]);
        bytes.extend((length as u16 + 2).to_be_bytes());
        bytes.extend(noise(length, chance));
        left -= length;
    }
    bytes.extend(rest);
    bytes
}

/// Tables and scan: one code for "no difference", one for "end of block".
fn scan() -> Vec<u8> {
    let one_code = |class: u8| [vec![0xff, 0xc4, 0, 20, class, 1], vec![0; 16]].concat();
    let mut bytes = vec![0xff, 0xdb, 0, 67, 0];
    bytes.extend([1; 64]);
    bytes.extend([0xff, 0xc0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0]);
    bytes.extend(one_code(0x00));
    bytes.extend(one_code(0x10));
    bytes.extend([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0x3f, 0xff, 0xd9]);
    bytes
}

/// A grey PNG of one pixel with a chunk of noise.
fn png(size: usize, chance: &mut Chance) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut bytes, b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]);
    chunk(&mut bytes, b"noIs", &noise(size.saturating_sub(90).max(16), chance));
    chunk(&mut bytes, b"IDAT", &[0x78, 1, 1, 2, 0, 0xfd, 0xff, 0, 0x80, 0, 0x82, 0, 0x81]);
    chunk(&mut bytes, b"IEND", &[]);
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

/// A WebP of one pixel with a chunk of noise.
fn webp(size: usize, chance: &mut Chance) -> Vec<u8> {
    let mut chunks = b"WEBPVP8L\x0d\0\0\0\x2f\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07\0NOIS".to_vec();
    let noise = noise(size.saturating_sub(40).max(16) & !1, chance);
    chunks.extend((noise.len() as u32).to_le_bytes());
    chunks.extend(noise);
    let length = (chunks.len() as u32).to_le_bytes();
    [b"RIFF".as_slice(), &length, &chunks].concat()
}

/// A PDF of one empty page with comments of noise.
fn pdf(size: usize, chance: &mut Chance) -> Vec<u8> {
    let objects = [
        "1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n",
        "2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n",
        "3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>\nendobj\n",
    ];
    let mut text = format!("%PDF-1.4\n% {}\n", hex::encode(noise(size / 2, chance)));
    let mut table = String::from("xref\n0 4\n0000000000 65535 f \n");
    for object in objects {
        table.push_str(&format!("{:010} 00000 n \n", text.len()));
        text.push_str(object);
    }
    let start = text.len();
    text.push_str(&format!("{table}trailer\n<</Size 4/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n"));
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_have_the_size_and_kind_asked_for() {
        let sizes = Sizes { photo: (30_000, 30_000), signature: (5_000, 5_000) };
        for (name, size) in [("a.jpg", 30_000), ("b.png", 5_000), ("c.pdf", 30_000), ("d.webp", 30_000)] {
            let one = picture(name, &sizes, &mut Chance::seeded(1));
            let other = picture(name, &sizes, &mut Chance::seeded(2));

            assert!(one.bytes.len().abs_diff(size) < 600, "{name}: {}", one.bytes.len());
            assert_ne!(one.bytes, other.bytes);
            assert_eq!(
                infer::get(&one.bytes).map(|kind| kind.mime_type().to_owned()),
                Some(one.content_type)
            );
        }
    }
}
