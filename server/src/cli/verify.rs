//! `nigran audit verify` and `nigran receipt verify`: is it as it was written?

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::Value;

use super::{NOT_AS_IT_SHOULD_BE, open, say};
use crate::accounts::verify_with_jwks;
use crate::audit;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::submissions::{RECEIPT_TYPE, ReceiptClaims};

#[derive(Subcommand)]
pub(super) enum Audit {
    /// Check that no sealed event was altered, removed or reordered. Example: nigran audit verify
    Verify {
        /// The hash of a seal noted earlier; the chain must still contain it.
        #[arg(long, value_name = "HASH")]
        contains: Option<String>,
    },
}

impl Audit {
    pub(super) fn run(self, config: &Config) -> Result<ExitCode> {
        let Audit::Verify { contains } = self;
        let db = open(config)?;
        let mut report = db.read_here(audit::verify)?;
        let lost = contains.filter(|hash| !report.hashes.contains(hash));
        say(&format!("{} events in {} seals", report.sealed, report.seals));
        say(&format!("{} events not sealed yet", report.unsealed.len()));
        if let Some(head) = &report.head {
            say(&format!("the chain ends in {head}"));
        }
        report.faults.dedup();
        report.faults.iter().for_each(|fault| say(&format!("FAULT: {fault}")));
        if let Some(hash) = &lost {
            say(&format!("FAULT: the chain does not contain seal {hash}"));
        }
        match report.faults.is_empty() && lost.is_none() {
            true => {
                say("the log is as it was written");
                Ok(ExitCode::SUCCESS)
            }
            false => Ok(ExitCode::from(NOT_AS_IT_SHOULD_BE)),
        }
    }
}

#[derive(Subcommand)]
pub(super) enum ReceiptCommand {
    /// Check a receipt offline. Example: nigran receipt verify receipt.jws --jwks jwks.json --submission sent.json
    Verify {
        /// The receipt: a file with the compact JWS, with the server's whole answer, or - for standard input.
        receipt: PathBuf,
        /// The server's public keys, saved from /.well-known/jwks.json.
        #[arg(long, value_name = "FILE")]
        jwks: PathBuf,
        /// The envelope that was sent; its hash must be the receipt's.
        #[arg(long, value_name = "FILE")]
        submission: Option<PathBuf>,
    },
}

impl ReceiptCommand {
    pub(super) fn run(self) -> Result<ExitCode> {
        let ReceiptCommand::Verify { receipt, jwks, submission } = self;
        let jws = receipt_in(&read(&receipt)?);
        let jwks: Value = serde_json::from_str(&read(&jwks)?)
            .map_err(|cause| Error::invalid("bad_jwks", format!("{}: {cause}", jwks.display())))?;
        let claims: ReceiptClaims = match verify_with_jwks(&jws, &jwks, RECEIPT_TYPE) {
            Ok(claims) => serde_json::from_value(claims).map_err(|cause| {
                Error::invalid("bad_receipt", format!("it is signed, but is no receipt: {cause}"))
            })?,
            Err(error) => {
                say(&format!("NOT GENUINE: {}", error.detail));
                return Ok(ExitCode::from(NOT_AS_IT_SHOULD_BE));
            }
        };
        describe(&claims);
        match submission {
            None => Ok(ExitCode::SUCCESS),
            Some(path) => compare(&claims, &path),
        }
    }
}

fn describe(claims: &ReceiptClaims) {
    say("the receipt is genuine");
    say(&format!("  submission    {}", claims.sub));
    match claims.revision {
        Some(revision) => say(&format!("  revision      {revision}")),
        None => say("  revision      none: kept in quarantine"),
    }
    say(&format!("  received at   {}", claims.received_at));
    say(&format!("  content hash  {}", claims.content_hash));
    for (name, sha256) in &claims.media {
        say(&format!("  file          {name} {sha256}"));
    }
}

fn compare(claims: &ReceiptClaims, path: &Path) -> Result<ExitCode> {
    let hash = crate::submissions::content_hash(read(path)?.as_bytes())?;
    match hash == claims.content_hash {
        true => {
            say(&format!("{} is what was received", path.display()));
            Ok(ExitCode::SUCCESS)
        }
        false => {
            say(&format!("NOT THE SAME: {} has the hash {hash}", path.display()));
            Ok(ExitCode::from(NOT_AS_IT_SHOULD_BE))
        }
    }
}

/// The JWS itself, or the one in a server's answer.
fn receipt_in(text: &str) -> String {
    let answer = serde_json::from_str::<Value>(text).ok();
    let inside = answer.as_ref().and_then(|answer| answer.get("receipt")).and_then(Value::as_str);
    inside.unwrap_or(text).trim().to_owned()
}

fn read(path: &Path) -> Result<String> {
    let text = match path.as_os_str() == "-" {
        true => std::io::read_to_string(std::io::stdin()),
        false => std::fs::read_to_string(path),
    };
    text.map_err(|cause| Error::invalid("unreadable", format!("{}: {cause}", path.display())))
}
