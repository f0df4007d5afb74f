//! Envelopes by the thousand, each unlike the last, at the cost of copying a few digits: the JSON is written once
//! with marks where the serial number and the photo's hash go.

use sha2::{Digest, Sha256};

use crate::photos;
use crate::samples::Submission;

const SERIAL: &str = "%%%%%%%%";
const HASH: [u8; 64] = [b'~'; 64];

/// A submission whose bytes can be made unlike any before.
#[derive(Clone)]
pub(super) struct Envelope {
    bytes: Vec<u8>,
    /// Where a serial number goes, and how many digits of it.
    serials: Vec<(usize, usize)>,
    hash: Option<usize>,
}

impl Envelope {
    /// From a sample: its inspection number and all that is called after it vary, and so does the workplace's name.
    pub(super) fn of(sample: &Submission) -> Envelope {
        let number =
            sample.answer("inspection_no").and_then(|number| number.as_str()).unwrap_or_default().to_owned();
        let label =
            sample.answer("workplace_label").and_then(|label| label.as_str()).unwrap_or_default().to_owned();
        let text = serde_json::to_string(&sample.envelope).expect("JSON can be written");
        // An inspection number ends in four digits; the label takes all eight.
        let short = format!("{}{}", &number[..number.len().saturating_sub(4)], &SERIAL[..4]);
        let text = text.replace(&number, &short).replace(&label, &format!("{label} {SERIAL}"));
        Envelope::with_marks(text.into_bytes())
    }

    /// The same, naming a photo of `size` bytes whose hash is filled in.
    pub(super) fn with_photo(sample: &Submission, name: &str, size: usize) -> Envelope {
        let mut sample = sample.clone();
        let hash = String::from_utf8_lossy(&HASH).into_owned();
        let media = sample.envelope["media"].as_array_mut().expect("the media list is a list");
        media.retain(|other| other["name"] != name);
        media.push(serde_json::json!({ "name": name, "sha256": hash, "size": size, "type": "image/jpeg" }));
        Envelope::of(&sample)
    }

    fn with_marks(bytes: Vec<u8>) -> Envelope {
        let mut serials = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let run = bytes[at..].iter().take_while(|byte| **byte == b'%').count().min(8);
            if run == 4 || run == 8 {
                serials.push((at, run));
            }
            at += run.max(1);
        }
        let hash = bytes.windows(HASH.len()).position(|window| window == HASH);
        Envelope { bytes, serials, hash }
    }

    /// Makes it number `serial`, with a photo of this hash.
    pub(super) fn fill(&mut self, serial: u32, hash: Option<&str>) -> &[u8] {
        let digits = format!("{serial:08}");
        for &(at, length) in &self.serials {
            self.bytes[at..at + length].copy_from_slice(&digits.as_bytes()[8 - length..]);
        }
        if let (Some(at), Some(hash)) = (self.hash, hash) {
            self.bytes[at..at + 64].copy_from_slice(hash.as_bytes());
        }
        &self.bytes
    }
}

/// Photos of one size, no two alike: a start they share and an end of each one's own. The hash of the start is
/// worked out once.
#[derive(Clone)]
pub(super) struct PhotoSeries {
    /// What all photos begin with.
    pub(super) start: std::rc::Rc<Vec<u8>>,
    begun: Sha256,
}

impl PhotoSeries {
    /// Photos of about `size` bytes.
    pub(super) fn of(size: usize) -> PhotoSeries {
        let start = photos::jpeg_padding(size);
        let begun = Sha256::new_with_prefix(&start);
        PhotoSeries { start: std::rc::Rc::new(start), begun }
    }

    /// The end of photo number `serial` and the hash of the whole.
    pub(super) fn photo(&self, serial: u32) -> (Vec<u8>, String) {
        let end =
            photos::jpeg_end(&format!("photo {serial:08} of {}", std::process::id() % 100_000 + 100_000));
        let hash = self.begun.clone().chain_update(&end).finalize();
        (end, hex::encode(hash))
    }

    /// The size of every photo of the series.
    pub(super) fn size(&self) -> usize {
        self.start.len() + self.photo(0).0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_the_serial_number_and_the_hash() {
        let text = r#"{"no":"CLI-QTA1-2026-%%%%","child":"CLI-QTA1-2026-%%%%-C1","label":"Shop %%%%%%%%","sha256":""#;
        let mut envelope = Envelope::with_marks([text.as_bytes(), &HASH, b"\"}"].concat());

        let filled = envelope.fill(12_345, Some(&"a".repeat(64)));

        let filled: serde_json::Value = serde_json::from_slice(filled).unwrap();
        assert_eq!(filled["no"], "CLI-QTA1-2026-2345");
        assert_eq!(filled["child"], "CLI-QTA1-2026-2345-C1");
        assert_eq!(filled["label"], "Shop 00012345");
        assert_eq!(filled["sha256"], "a".repeat(64));
    }

    #[test]
    fn a_photos_hash_is_that_of_its_two_parts_together() {
        let series = PhotoSeries::of(1000);
        let (end, hash) = series.photo(7);

        let whole = [series.start.as_slice(), &end].concat();

        assert_eq!(hash, hex::encode(Sha256::digest(&whole)));
        assert_eq!(whole.len(), series.size());
    }
}
