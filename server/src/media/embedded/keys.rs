//! The access keys of the embedded store: random, made at the first start, kept in a file only the owner may read, so
//! that nobody else on the machine can use the loopback port.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

/// An access key and its secret. No `Debug`: it must not end up in a log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::media) struct Keys {
    pub(in crate::media) access: String,
    pub(in crate::media) secret: String,
}

impl Keys {
    /// Reads the keys at `path`, or makes new ones and keeps them there.
    pub(super) fn load_or_make(path: &Path) -> io::Result<Keys> {
        match fs::read(path) {
            Ok(text) => serde_json::from_slice(&text).map_err(io::Error::other),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Keys::make(path),
            Err(cause) => Err(cause),
        }
    }

    fn make(path: &Path) -> io::Result<Keys> {
        let keys = Keys { access: random_hex::<10>()?, secret: random_hex::<32>()? };
        let fresh = path.with_extension("new");
        let _ = fs::remove_file(&fresh);
        let mut file = private_file(&fresh)?;
        file.write_all(&serde_json::to_vec(&keys)?)?;
        file.sync_all()?;
        fs::rename(&fresh, path)?;
        if let Some(folder) = path.parent() {
            fs::File::open(folder)?.sync_all()?;
        }
        Ok(keys)
    }
}

fn private_file(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn random_hex<const BYTES: usize>() -> io::Result<String> {
    let mut bytes = [0u8; BYTES];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| io::Error::other("the system gives no random numbers"))?;
    Ok(hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::testing::Folder;

    #[test]
    fn the_keys_stay_the_same_and_private() {
        let folder = Folder::new("keys");
        let path = folder.path().join("keys.json");

        let first = Keys::load_or_make(&path).unwrap();
        let again = Keys::load_or_make(&path).unwrap();

        assert!(first == again);
        assert_eq!(first.secret.len(), 64);
        #[cfg(unix)]
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions()) & 0o777,
            0o600
        );
    }
}
