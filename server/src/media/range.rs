//! The `Range` header (RFC 9110 §14), for one range of bytes. A header that is malformed, names another unit, or asks
//! for several ranges is ignored, as the RFC allows: the whole file is the answer.

/// Bytes `first..=last` of a file; both lie within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// The first byte.
    pub first: u64,
    /// The last byte, included.
    pub last: u64,
}

impl ByteRange {
    /// How many bytes that is.
    pub fn length(&self) -> u64 {
        self.last - self.first + 1
    }

    /// The `Content-Range` of the answer.
    pub fn content_range(&self, total: u64) -> String {
        format!("bytes {}-{}/{total}", self.first, self.last)
    }
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The whole file: 200.
    Whole,
    /// A part: 206 with `Content-Range`.
    Part(ByteRange),
    /// Nothing the file has: 416 with `Content-Range: bytes */total`.
    Beyond,
}

/// Reads a `Range` header for a file of `total` bytes.
pub fn asked(header: Option<&str>, total: u64) -> Asked {
    let Some((unit, spec)) = header.and_then(|text| text.split_once('=')) else {
        return Asked::Whole;
    };
    let Some((first, last)) = spec.trim().split_once('-') else {
        return Asked::Whole;
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Asked::Whole;
    }
    match (number(first), number(last)) {
        (Some(Number::None), Some(Number::Is(length))) => suffix(length, total),
        (Some(Number::Is(first)), Some(Number::None)) => from(first, u64::MAX, total),
        (Some(Number::Is(first)), Some(Number::Is(last))) if first <= last => from(first, last, total),
        _ => Asked::Whole,
    }
}

enum Number {
    None,
    Is(u64),
}

/// A number, nothing at all, or (None) something that is neither. Numbers past u64 count as the largest.
fn number(text: &str) -> Option<Number> {
    match text {
        "" => Some(Number::None),
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => {
            Some(Number::Is(digits.parse().unwrap_or(u64::MAX)))
        }
        _ => None,
    }
}

fn suffix(length: u64, total: u64) -> Asked {
    match length.min(total) {
        0 => Asked::Beyond,
        length => Asked::Part(ByteRange { first: total - length, last: total - 1 }),
    }
}

fn from(first: u64, last: u64, total: u64) -> Asked {
    if first >= total {
        return Asked::Beyond;
    }
    Asked::Part(ByteRange { first, last: last.min(total - 1) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(first: u64, last: u64) -> Asked {
        Asked::Part(ByteRange { first, last })
    }

    #[test]
    fn one_range_is_cut_to_the_file() {
        assert_eq!(asked(Some("bytes=0-0"), 100), part(0, 0));
        assert_eq!(asked(Some("bytes=10-19"), 100), part(10, 19));
        assert_eq!(asked(Some("bytes=90-"), 100), part(90, 99));
        assert_eq!(asked(Some("bytes=90-1000"), 100), part(90, 99));
        assert_eq!(asked(Some("bytes=-10"), 100), part(90, 99));
        assert_eq!(asked(Some("bytes=-1000"), 100), part(0, 99));
        assert_eq!(asked(Some("BYTES= 5-6 "), 100), part(5, 6));
        assert_eq!(asked(Some("bytes=0-99999999999999999999999"), 100), part(0, 99));
    }

    #[test]
    fn beyond_the_end_cannot_be_satisfied() {
        assert_eq!(asked(Some("bytes=100-"), 100), Asked::Beyond);
        assert_eq!(asked(Some("bytes=99999999999999999999999-"), 100), Asked::Beyond);
        assert_eq!(asked(Some("bytes=-0"), 100), Asked::Beyond);
        assert_eq!(asked(Some("bytes=0-"), 0), Asked::Beyond);
        assert_eq!(asked(Some("bytes=-1"), 0), Asked::Beyond);
    }

    #[test]
    fn what_is_not_one_range_is_ignored() {
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=5-4",
            "bytes=0-1,5-6",
            "items=0-1",
            "bytes=+1-2",
            "bytes=--1",
        ] {
            assert_eq!(asked(Some(header), 100), Asked::Whole, "{header:?}");
        }
        assert_eq!(asked(None, 100), Asked::Whole);
    }

    #[test]
    fn a_part_knows_its_length_and_header() {
        let range = ByteRange { first: 10, last: 19 };

        assert_eq!(range.length(), 10);
        assert_eq!(range.content_range(100), "bytes 10-19/100");
    }
}
