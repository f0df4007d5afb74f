//! The words of tus 1.0: what its headers say, read strictly and written as the protocol has them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::creation::Wanted;
use crate::db::At;
use crate::error::{Error, Result};
use crate::media::{MediaHash, MediaName};

/// The one version spoken here.
pub(super) const VERSION: &str = "1.0.0";
/// The extensions.
pub(super) const EXTENSIONS: &str = "creation,creation-with-upload,checksum,expiration,termination";
/// What a body with bytes of a file is.
pub(super) const BYTES: &str = "application/offset+octet-stream";
/// The longest `Upload-Metadata`.
const LONGEST_METADATA: usize = 4096;

/// Passes a request that speaks our version.
pub(super) fn check_version(sent: Option<&str>) -> Result<()> {
    match sent.map(str::trim) {
        Some(VERSION) => Ok(()),
        _ => Err(Error::stale(
            "tus_version_unsupported",
            format!("this is tus {VERSION}; send Tus-Resumable: {VERSION}"),
        )),
    }
}

/// `Upload-Length`: how many bytes the file has.
pub(super) fn length(sent: Option<&str>) -> Result<u64> {
    number(sent).ok_or_else(|| {
        Error::invalid("bad_upload_length", "Upload-Length must be there and be a whole number of bytes")
    })
}

/// `Upload-Offset`: where the bytes of this request begin.
pub(super) fn offset(sent: Option<&str>) -> Result<u64> {
    number(sent).ok_or_else(|| {
        Error::invalid("bad_upload_offset", "Upload-Offset must be there and be a whole number of bytes")
    })
}

fn number(sent: Option<&str>) -> Option<u64> {
    let text = sent.map(str::trim).unwrap_or_default();
    let is_plain = !text.is_empty() && text.len() <= 18 && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}

/// Passes a body that is bytes of a file, as they are.
pub(super) fn check_body(content_type: Option<&str>, encoding: Option<&str>) -> Result<()> {
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case(BYTES) {
        return Err(Error::unsupported(
            "not_offset_bytes",
            format!("send the bytes as Content-Type: {BYTES}"),
        ));
    }
    match encoding.map(str::trim) {
        None | Some("" | "identity") => Ok(()),
        Some(_) => Err(Error::unsupported(
            "encoded_bytes",
            "send the bytes as they are: offsets count bytes of the file, not of a compressed one",
        )),
    }
}

/// Reads `Upload-Metadata`: pairs of a key and a value in base64, separated by commas. What nobody here knows is left
/// alone.
pub(super) fn wanted(metadata: Option<&str>, size: u64) -> Result<Wanted> {
    let metadata = metadata.unwrap_or_default().trim();
    if metadata.len() > LONGEST_METADATA {
        return Err(Error::too_large(
            "metadata_too_large",
            format!("Upload-Metadata is longer than {LONGEST_METADATA} bytes; leave out what is not needed"),
        ));
    }
    let pairs = pairs(metadata)?;
    let find = |key: &str| pairs.iter().find(|(name, _)| *name == key).map(|(_, value)| value);
    let text = |key: &'static str| {
        find(key).map(|value| String::from_utf8(value.clone()).map_err(|_| bad_metadata(key))).transpose()
    };
    let needed = |key: &'static str| text(key)?.ok_or_else(|| missing(key));
    let submission = needed("submission")?;
    Ok(Wanted {
        submission: submission
            .parse()
            .map_err(|_| Error::invalid("bad_id", "`submission` must be the submission's id, a UUID"))?,
        name: MediaName::parse(&needed("name")?)?,
        sha256: MediaHash::parse(&needed("sha256")?)?,
        content_type: text("type")?.map(|kind| plain(&kind)).transpose()?,
        size,
        resume: find("resume").is_some(),
        metadata: metadata.to_owned(),
    })
}

fn pairs(metadata: &str) -> Result<Vec<(&str, Vec<u8>)>> {
    let mut pairs: Vec<(&str, Vec<u8>)> = Vec::new();
    for pair in metadata.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        let value = BASE64.decode(value.trim()).map_err(|_| bad_metadata(key))?;
        if pairs.iter().any(|(known, _)| *known == key) {
            return Err(bad_metadata(key));
        }
        pairs.push((key, value));
    }
    Ok(pairs)
}

/// A content type as it may stand in a column: short and printable.
fn plain(text: &str) -> Result<String> {
    match text.len() <= 100 && text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        true => Ok(text.to_owned()),
        false => Err(bad_metadata("type")),
    }
}

fn missing(key: &str) -> Error {
    Error::invalid(
        "metadata_missing",
        format!("Upload-Metadata must say {key}; it takes submission, name, sha256 and type, each in base64"),
    )
    .with("key", key)
}

fn bad_metadata(key: &str) -> Error {
    let key: String = key.chars().take(40).collect();
    Error::invalid(
        "bad_metadata",
        format!(
            "Upload-Metadata cannot be read at {key:?}: each key stands once, with its value as text in base64"
        ),
    )
}

/// An instant as `Upload-Expires` has it.
pub(super) fn http_date(at: At) -> String {
    at.utc().format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(pairs: &[(&str, &[u8])]) -> String {
        let pairs: Vec<_> =
            pairs.iter().map(|(key, value)| format!("{key} {}", BASE64.encode(value))).collect();
        pairs.join(",")
    }

    const ID: &[u8] = b"0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10";
    const HASH: &[u8] = b"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    fn code(text: &str) -> &'static str {
        wanted(Some(text), 10).err().unwrap().code
    }

    #[test]
    fn metadata_say_what_the_file_is_and_where_it_belongs() {
        let text = metadata(&[
            ("submission", ID),
            ("name", b"front.jpg"),
            ("sha256", HASH),
            ("type", b"image/jpeg"),
            ("note", b"\xff\0"),
        ]);

        let wanted = wanted(Some(&format!("{text},empty")), 10).unwrap();

        assert_eq!(wanted.name.as_str(), "front.jpg");
        assert_eq!((wanted.content_type.as_deref(), wanted.resume), (Some("image/jpeg"), false));
    }

    #[test]
    fn hostile_metadata_are_refused_each_with_its_code() {
        assert_eq!(code(""), "metadata_missing");
        assert_eq!(code("submission !!"), "bad_metadata");
        assert_eq!(code("a YQ==,a YQ=="), "bad_metadata");
        assert_eq!(code(&format!("a {}", "YWFh".repeat(2000))), "metadata_too_large");
        assert_eq!(code(&metadata(&[("submission", b"../x")])), "bad_id");
        assert_eq!(code(&metadata(&[("submission", b"\xff")])), "bad_metadata");
        let with = |name: &[u8], hash: &[u8], kind: &[u8]| {
            code(&metadata(&[("submission", ID), ("name", name), ("sha256", hash), ("type", kind)]))
        };
        assert_eq!(with(b"a\0.jpg", HASH, b"image/jpeg"), "media_name_invalid");
        assert_eq!(with(b"../a.jpg", HASH, b"image/jpeg"), "media_name_invalid");
        assert_eq!(with(b"a.jpg", b"12", b"image/jpeg"), "media_hash_invalid");
        assert_eq!(with(b"a.jpg", HASH, b"image/jpeg\0"), "bad_metadata");
    }

    #[test]
    fn numbers_are_plain() {
        assert_eq!(length(Some("20")).unwrap(), 20);
        for odd in
            [None, Some(""), Some("-1"), Some("+1"), Some("1e3"), Some("99999999999999999999"), Some("0x1")]
        {
            assert_eq!(offset(odd).unwrap_err().code, "bad_upload_offset");
            assert_eq!(length(odd).unwrap_err().code, "bad_upload_length");
        }
    }
}
