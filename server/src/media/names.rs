//! The names photos have within a submission: `front.jpg`. A name is only ever a column and a path segment of a URL,
//! never a path on a disk; the rule is strict all the same, so that it is safe wherever it ends up (a zip, an export).

use super::kinds::MediaKind;
use crate::error::{Error, Result};

/// The longest name.
const LONGEST: usize = 100;

/// A name that keeps the rules, and the kind of file its extension promises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaName {
    text: String,
    kind: MediaKind,
}

impl MediaName {
    /// Reads a name: a letter or digit, then letters, digits, `.`, `_`, `-`, at most 100 in all, no two dots in a
    /// row, and an extension that says what the file is.
    pub fn parse(text: &str) -> Result<MediaName> {
        let kind = text.rsplit_once('.').and_then(|(_, extension)| MediaKind::of_extension(extension));
        match kind {
            Some(kind) if is_plain(text) => Ok(MediaName { text: text.to_owned(), kind }),
            _ => Err(Error::invalid(
                "media_name_invalid",
                "a media name is letters, digits, `.`, `_` and `-`, begins with a letter or digit, has at most 100 \
                 characters and ends in .jpg, .jpeg, .png, .webp, .heic, .heif or .pdf",
            )),
        }
    }

    /// The name as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What the extension says the file is.
    pub fn kind(&self) -> MediaKind {
        self.kind
    }
}

fn is_plain(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    text.len() <= LONGEST
        && text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
        && text.bytes().all(allowed)
        && !text.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_with_a_known_extension_are_taken() {
        for name in ["front.jpg", "a.JPEG", "0.png", "workshop_2-left.webp", "order.v2.pdf"] {
            assert_eq!(MediaName::parse(name).unwrap().as_str(), name);
        }
        assert_eq!(MediaName::parse("front.jpg").unwrap().kind(), MediaKind::Jpeg);
    }

    #[test]
    fn everything_else_is_refused_with_one_code() {
        let long = format!("{}.jpg", "a".repeat(97));
        let bad = [
            "",
            ".",
            "..",
            ".jpg",
            "-a.jpg",
            "../a.jpg",
            "a/b.jpg",
            "a\\b.jpg",
            "a..jpg",
            "a b.jpg",
            "a%2f.jpg",
            "a.jpg\0",
            "a.gif",
            "a.exe",
            "jpg",
            "تصویر.jpg",
            "a.jpg/",
            &long,
        ];
        for name in bad {
            assert_eq!(MediaName::parse(name).unwrap_err().code, "media_name_invalid", "{name:?}");
        }
    }
}
