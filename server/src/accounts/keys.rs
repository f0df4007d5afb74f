//! The signing keys. They lie in a folder, one Ed25519 key a file, as the unencrypted PKCS#8 PEM that
//! `openssl genpkey -algorithm ed25519` writes: `2026-11-24T055952Z.pem`. The file whose name sorts last signs; the others
//! are retired and only verify. To change keys, put a file with a later name into the folder of every server and start
//! one after the other again: those not yet started verify with it already. Take the old one away when the last token
//! (15 minutes) and the last receipt it signed no longer matter.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use ring::rand::SecureRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// PKCS#8 version 1 around an Ed25519 seed (RFC 8410): everything before the 32 bytes of the seed.
const PKCS8_PREFIX: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
const PEM_HEAD: &str = "-----BEGIN PRIVATE KEY-----";
const PEM_FOOT: &str = "-----END PRIVATE KEY-----";

/// One key: its id, its public half, and the PKCS#8 it was read from.
pub(super) struct KeyFile {
    /// RFC 7638 thumbprint of the public key.
    pub(super) kid: String,
    pub(super) public: [u8; 32],
    pub(super) pkcs8: Vec<u8>,
}

/// Reads the keys in `folder`, the signing one last. An empty or missing folder gets its first key.
pub(super) fn load_or_create(folder: &Path, now: DateTime<Utc>) -> Result<Vec<KeyFile>> {
    fs::create_dir_all(folder).map_err(|cause| failed("making the folder", folder, cause))?;
    // Several servers may share the folder and start at once: one makes the key.
    let turn = fs::File::open(folder).and_then(|opened| opened.lock().map(|()| opened));
    let mut files = key_files(folder)?;
    if files.is_empty() {
        files.push(create(folder, now)?);
    }
    drop(turn);
    files.iter().map(|file| read(file)).collect()
}

/// Reads the keys in `folder` as they are now.
pub(super) fn load(folder: &Path) -> Result<Vec<KeyFile>> {
    key_files(folder)?.iter().map(|file| read(file)).collect()
}

/// Whether there are no keys in `folder`, or no folder.
pub(super) fn is_empty(folder: &Path) -> bool {
    key_files(folder).is_ok_and(|files| files.is_empty()) || !folder.exists()
}

fn key_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(|cause| failed("reading the folder", folder, cause))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "pem"))
        .collect();
    files.sort();
    Ok(files)
}

fn read(file: &Path) -> Result<KeyFile> {
    warn_when_readable_by_others(file);
    let pem = fs::read_to_string(file).map_err(|cause| failed("reading", file, cause))?;
    let bad = || {
        Error::invalid(
            "key_file",
            format!("{} holds no unencrypted Ed25519 key in PKCS#8 PEM", file.display()),
        )
    };
    let body =
        pem.trim().strip_prefix(PEM_HEAD).and_then(|rest| rest.strip_suffix(PEM_FOOT)).ok_or_else(bad)?;
    let body: String = body.split_whitespace().collect();
    let pkcs8 = STANDARD.decode(body).map_err(|_| bad())?;
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pkcs8).map_err(|_| bad())?;
    let public: [u8; 32] = pair.public_key().as_ref().try_into().map_err(|_| bad())?;
    Ok(KeyFile { kid: thumbprint(&public), public, pkcs8 })
}

/// Makes a key. The file is whole and on disk before it has its name.
fn create(folder: &Path, now: DateTime<Utc>) -> Result<PathBuf> {
    let mut pkcs8 = PKCS8_PREFIX.to_vec();
    pkcs8.extend(random::<32>()?);
    let pem = format!("{PEM_HEAD}\n{}\n{PEM_FOOT}\n", STANDARD.encode(&pkcs8));
    let file = folder.join(now.format("%Y-%m-%dT%H%M%SZ.pem").to_string());
    let draft = file.with_extension("draft");
    write_private(&draft, pem.as_bytes())
        .and_then(|()| fs::rename(&draft, &file))
        .and_then(|()| fs::File::open(folder)?.sync_all())
        .map_err(|cause| failed("writing", &file, cause))?;
    Ok(file)
}

fn write_private(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut opened = options.open(file)?;
    opened.write_all(bytes)?;
    opened.sync_all()
}

fn warn_when_readable_by_others(file: &Path) {
    #[cfg(unix)]
    if let Ok(found) = fs::metadata(file) {
        let mode = std::os::unix::fs::PermissionsExt::mode(&found.permissions());
        if mode & 0o077 != 0 {
            tracing::warn!(file = %file.display(), "the signing key can be read by others; set its mode to 600");
        }
    }
}

/// The RFC 7638 thumbprint of an Ed25519 public key, as RFC 8037 spells its members.
pub(super) fn thumbprint(public: &[u8; 32]) -> String {
    let x = URL_SAFE_NO_PAD.encode(public);
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#)))
}

/// `N` bytes nobody can guess.
pub(super) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    ring::rand::SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::internal("drawing random bytes", "the system has no randomness to give"))?;
    Ok(bytes)
}

fn failed(doing: &str, path: &Path, cause: std::io::Error) -> Error {
    Error::internal(&format!("{doing} {} for the signing keys", path.display()), cause)
}
