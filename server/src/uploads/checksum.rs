//! `Upload-Checksum`: what the sender says the bytes of one request add up to.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest, Md5};
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};

use crate::error::{Error, Result};

/// The algorithms, as `Tus-Checksum-Algorithm` lists them.
pub(super) const ALGORITHMS: &str = "sha256,sha1,md5";

/// A checksum being computed, and what it must come to.
pub(super) struct Checksum {
    sum: Sum,
    expected: Vec<u8>,
}

enum Sum {
    Sha(Box<Context>),
    Md5(Box<Md5>),
}

impl Checksum {
    /// Reads `sha256 <base64>`.
    pub(super) fn parse(text: &str) -> Result<Checksum> {
        let (algorithm, value) = text.trim().split_once(' ').ok_or_else(malformed)?;
        let (sum, length) = match algorithm.to_ascii_lowercase().as_str() {
            "sha256" => (Sum::Sha(Box::new(Context::new(&SHA256))), 32),
            "sha1" => (Sum::Sha(Box::new(Context::new(&SHA1_FOR_LEGACY_USE_ONLY))), 20),
            "md5" => (Sum::Md5(Box::default()), 16),
            _ => {
                return Err(Error::invalid(
                    "checksum_algorithm_unknown",
                    format!("Upload-Checksum takes one of {ALGORITHMS}"),
                ));
            }
        };
        let expected = BASE64.decode(value.trim()).map_err(|_| malformed())?;
        if expected.len() != length {
            return Err(malformed());
        }
        Ok(Checksum { sum, expected })
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        match &mut self.sum {
            Sum::Sha(context) => context.update(bytes),
            Sum::Md5(md5) => md5.update(bytes),
        }
    }

    /// Whether what was added is what was expected.
    pub(super) fn agrees(self) -> bool {
        match self.sum {
            Sum::Sha(context) => context.finish().as_ref() == self.expected,
            Sum::Md5(md5) => md5.finalize().as_slice() == self.expected,
        }
    }
}

fn malformed() -> Error {
    Error::invalid(
        "bad_checksum",
        "Upload-Checksum is an algorithm, a space, and the checksum of the body in base64",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agrees(text: &str, bytes: &[u8]) -> bool {
        let mut checksum = Checksum::parse(text).unwrap();
        bytes.chunks(2).for_each(|part| checksum.add(part));
        checksum.agrees()
    }

    #[test]
    fn each_algorithm_knows_its_own() {
        for hello in [
            "sha256 LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
            "sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00=",
            "MD5 XUFAKrxLKna5cZ2REBfFkg==",
        ] {
            assert!(agrees(hello, b"hello"), "{hello}");
            assert!(!agrees(hello, b"hellO"), "{hello}");
        }
    }

    #[test]
    fn others_and_nonsense_are_refused() {
        let code = |text: &str| Checksum::parse(text).err().unwrap().code;
        assert_eq!(code("crc32 AAAAAA=="), "checksum_algorithm_unknown");
        for nonsense in
            ["", "sha1", "sha1 ", "sha1 AAAA", "sha256 not base64!", "md5 qvTGHdzF6KLavt4PO0gs2a6pQ00="]
        {
            assert!(["bad_checksum", "checksum_algorithm_unknown"].contains(&code(nonsense)), "{nonsense}");
        }
    }
}
