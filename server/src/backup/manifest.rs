//! What a snapshot says of itself, and the figures by which a restored one is recognised.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{MANIFEST, failed};
use crate::audit;
use crate::db::{self, DbConn};
use crate::error::{Error, Result};
use crate::media;

/// How many photos are asked for at once.
const PAGE: i64 = 1000;

/// What a snapshot says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The instant of the snapshot, RFC 3339.
    pub taken_at: String,
    /// The version of the program that took it.
    pub version: String,
    /// SHA-256 of the database file.
    pub database_sha256: String,
    /// Size of the database file in bytes.
    pub database_bytes: u64,
    /// The bucket the photos are kept in.
    pub bucket: String,
    /// What is in it.
    pub counts: Counts,
}

/// What is in a database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Events of the audit log that are sealed.
    pub sealed_events: u64,
    /// Events that were not sealed yet.
    pub unsealed_events: usize,
    /// The hash the chain of seals ends in.
    pub chain_ends_in: Option<String>,
    /// Photos and documents.
    pub files: u64,
    /// Their size in bytes.
    pub file_bytes: u64,
}

impl Counts {
    /// Counts, and walks the chain of the audit log.
    ///
    /// # Errors
    /// `audit_not_as_written` when the log is not as it was written.
    pub(super) fn of(conn: &mut DbConn) -> Result<Counts> {
        let report = audit::verify(conn)?;
        if let Some(fault) = report.faults.first() {
            let detail = format!("the audit log is not as it was written: {fault}; see nigran audit verify");
            return Err(Error::conflict("audit_not_as_written", detail));
        }
        let mut counts = Counts {
            sealed_events: report.sealed,
            unsealed_events: report.unsealed.len(),
            chain_ends_in: report.head,
            ..Counts::default()
        };
        each_file(conn, |_, size| {
            counts.files += 1;
            counts.file_bytes += size;
            Ok(())
        })?;
        Ok(counts)
    }
}

impl Manifest {
    pub(super) fn of(database: &Path, bucket: &str, taken_at: String) -> Result<Manifest> {
        let (database_sha256, database_bytes) = hash(database)?;
        Ok(Manifest {
            taken_at,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            database_sha256,
            database_bytes,
            bucket: bucket.to_owned(),
            counts: db::look(database, Counts::of)?,
        })
    }

    pub(super) fn write(&self, snapshot: &Path) -> Result<()> {
        let path = snapshot.join(MANIFEST);
        let text = serde_json::to_vec_pretty(self)
            .map_err(|cause| Error::internal("writing the manifest", cause))?;
        std::fs::write(&path, text).map_err(|cause| failed("writing", &path, &cause))?;
        super::sync(&path)
    }

    pub(super) fn read(snapshot: &Path) -> Result<Manifest> {
        let path = snapshot.join(MANIFEST);
        let text = std::fs::read(&path).map_err(|cause| failed("reading", &path, &cause))?;
        serde_json::from_slice(&text).map_err(|cause| {
            Error::invalid("bad_manifest", format!("{} is no manifest of a backup: {cause}", path.display()))
        })
    }
}

/// Shows `see` the hash and size of every photo and document the database knows.
pub(super) fn each_file(conn: &mut DbConn, mut see: impl FnMut(&str, u64) -> Result<()>) -> Result<()> {
    let mut after = String::new();
    loop {
        let page = media::kept(conn, &after, PAGE)?;
        for (sha256, size) in &page {
            see(sha256, u64::try_from(*size).unwrap_or(0))?;
        }
        match page.last() {
            Some((last, _)) => after.clone_from(last),
            None => return Ok(()),
        }
    }
}

/// SHA-256 in hex, and size, of a file.
pub(super) fn hash(path: &Path) -> Result<(String, u64)> {
    let read = || -> std::io::Result<(String, u64)> {
        let mut file = File::open(path)?;
        let (mut sha256, mut size, mut buffer) = (Sha256::new(), 0, vec![0; 1024 * 1024]);
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok((hex::encode(sha256.finalize()), size)),
                read => {
                    sha256.update(&buffer[..read]);
                    size += read as u64;
                }
            }
        }
    };
    read().map_err(|cause| failed("reading", path, &cause))
}
