//! The five kinds of file taken here, told by their first bytes. A name or a header only says what a file claims to be.

use crate::error::{Error, Result};

/// How many bytes are looked at to tell a kind.
pub(super) const HEAD: usize = 64;

/// A kind of file that is taken here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    /// A photo as cameras make it.
    Jpeg,
    /// A drawing, a signature, a screenshot.
    Png,
    /// A photo from an app that saves bytes.
    WebP,
    /// A photo as iPhones make it. Kept, not decoded.
    Heic,
    /// A document.
    Pdf,
}

impl MediaKind {
    /// The kind an extension promises.
    pub(super) fn of_extension(extension: &str) -> Option<MediaKind> {
        match extension.to_ascii_lowercase().as_str() {
            "jpg" | "jpeg" => Some(MediaKind::Jpeg),
            "png" => Some(MediaKind::Png),
            "webp" => Some(MediaKind::WebP),
            "heic" | "heif" => Some(MediaKind::Heic),
            "pdf" => Some(MediaKind::Pdf),
            _ => None,
        }
    }

    /// The kind a content type promises. Parameters and case do not matter.
    pub(super) fn of_content_type(content_type: &str) -> Option<MediaKind> {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "image/jpeg" | "image/jpg" => Some(MediaKind::Jpeg),
            "image/png" => Some(MediaKind::Png),
            "image/webp" => Some(MediaKind::WebP),
            "image/heic" | "image/heif" => Some(MediaKind::Heic),
            "application/pdf" => Some(MediaKind::Pdf),
            _ => None,
        }
    }

    /// The kind the bytes themselves show.
    pub(super) fn of_bytes(head: &[u8]) -> Option<MediaKind> {
        let seen = infer::get(head)?;
        MediaKind::of_content_type(seen.mime_type())
    }

    /// The content type to store and serve it with.
    pub fn content_type(self) -> &'static str {
        match self {
            MediaKind::Jpeg => "image/jpeg",
            MediaKind::Png => "image/png",
            MediaKind::WebP => "image/webp",
            MediaKind::Heic => "image/heic",
            MediaKind::Pdf => "application/pdf",
        }
    }

    /// Whether pictures can be made of it: it is a photo of a kind that is decoded here.
    pub fn is_decoded(self) -> bool {
        matches!(self, MediaKind::Jpeg | MediaKind::Png | MediaKind::WebP)
    }

    /// Whether it is a document rather than a photo.
    pub fn is_document(self) -> bool {
        self == MediaKind::Pdf
    }
}

/// Checks that the bytes are what name and content type say. `application/octet-stream` says nothing, so it agrees.
pub(super) fn agree(head: &[u8], named: MediaKind, declared: Option<&str>) -> Result<MediaKind> {
    let Some(real) = MediaKind::of_bytes(head) else {
        return Err(Error::unsupported(
            "media_type_unsupported",
            "only JPEG, PNG, WebP, HEIC and PDF files are taken; this is none of them",
        ));
    };
    let declared = declared.filter(|text| !text.trim().eq_ignore_ascii_case("application/octet-stream"));
    if real != named {
        return Err(mismatch(real, format!("its name says {}", named.content_type())));
    }
    match declared {
        Some(text) if MediaKind::of_content_type(text) != Some(real) => {
            Err(mismatch(real, "its Content-Type says otherwise".to_owned()))
        }
        _ => Ok(real),
    }
}

/// Checks that a content type says what the name says.
pub(super) fn claim_agrees(named: MediaKind, declared: &str) -> Result<()> {
    if declared.trim().eq_ignore_ascii_case("application/octet-stream")
        || MediaKind::of_content_type(declared) == Some(named)
    {
        return Ok(());
    }
    Err(Error::unsupported(
        "media_type_mismatch",
        format!(
            "the name says {}, the type says otherwise; send it under its right name and type",
            named.content_type()
        ),
    ))
}

fn mismatch(real: MediaKind, claim: String) -> Error {
    let detail =
        format!("the file is {}, but {claim}; send it under its right name and type", real.content_type());
    Error::unsupported("media_type_mismatch", detail).with("actual_type", real.content_type())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0";
    const WEBP: &[u8] = b"RIFF\x10\0\0\0WEBPVP8 ";
    const PDF: &[u8] = b"%PDF-1.7\n";
    const HEIC: &[u8] = b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic\0\0\0\x08mdat";

    #[test]
    fn the_kinds_are_told_by_their_first_bytes() {
        assert_eq!(MediaKind::of_bytes(PNG), Some(MediaKind::Png));
        assert_eq!(MediaKind::of_bytes(JPEG), Some(MediaKind::Jpeg));
        assert_eq!(MediaKind::of_bytes(WEBP), Some(MediaKind::WebP));
        assert_eq!(MediaKind::of_bytes(PDF), Some(MediaKind::Pdf));
        assert_eq!(MediaKind::of_bytes(HEIC), Some(MediaKind::Heic));
    }

    #[test]
    fn name_header_and_bytes_must_agree() {
        assert_eq!(agree(PNG, MediaKind::Png, Some("image/png; x=y")).unwrap(), MediaKind::Png);
        assert_eq!(agree(JPEG, MediaKind::Jpeg, Some("application/octet-stream")).unwrap(), MediaKind::Jpeg);
        assert_eq!(agree(HEIC, MediaKind::Heic, Some("image/heif")).unwrap(), MediaKind::Heic);
        assert_eq!(agree(PNG, MediaKind::Jpeg, None).unwrap_err().code, "media_type_mismatch");
        assert_eq!(agree(PNG, MediaKind::Png, Some("image/jpeg")).unwrap_err().code, "media_type_mismatch");
        assert_eq!(agree(PNG, MediaKind::Png, Some("text/html")).unwrap_err().code, "media_type_mismatch");
    }

    #[test]
    fn other_files_are_not_taken_whatever_they_are_called() {
        for other in [&b"GIF89a......"[..], b"PK\x03\x04zip", b"<svg/>", b"MZ", b""] {
            assert_eq!(agree(other, MediaKind::Jpeg, None).unwrap_err().code, "media_type_unsupported");
        }
    }
}
