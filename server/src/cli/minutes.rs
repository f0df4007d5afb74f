//! `nigran minutes verify`: was it decided as it is written?

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::Value;

use super::{NOT_AS_IT_SHOULD_BE, say};
use crate::desk;
use crate::error::{Error, Result};

#[derive(Subcommand)]
pub(super) enum Minutes {
    /// Check minutes offline: the server's signature, every member's, the hash, the count. Example: nigran minutes verify minutes.json --keys jwks.json
    Verify {
        /// The minutes, saved from GET /v1/proposals/{id}/minutes, or - for standard input.
        minutes: PathBuf,
        /// The server's public keys, saved from /.well-known/jwks.json.
        #[arg(long, alias = "jwks", value_name = "FILE")]
        keys: PathBuf,
        /// The report of a replay, saved from GET /v1/replays/{id}: was it this one that members could read before they decided?
        #[arg(long, value_name = "FILE")]
        replay: Option<PathBuf>,
    },
}

impl Minutes {
    pub(super) fn run(self) -> Result<ExitCode> {
        let Minutes::Verify { minutes, keys, replay } = self;
        let jwks: Value = serde_json::from_str(&read(&keys)?)
            .map_err(|cause| Error::invalid("bad_jwks", format!("{}: {cause}", keys.display())))?;
        let report = replay.map(|path| read(&path)).transpose()?;
        let checked = desk::verify_minutes_with_report(&read(&minutes)?, &jwks, report.as_deref())?;
        checked.said.iter().for_each(|line| say(line));
        checked.faults.iter().for_each(|fault| say(&format!("NOT GENUINE: {fault}")));
        match checked.faults.is_empty() {
            true => {
                say("the minutes are genuine");
                Ok(ExitCode::SUCCESS)
            }
            false => Ok(ExitCode::from(NOT_AS_IT_SHOULD_BE)),
        }
    }
}

fn read(path: &Path) -> Result<String> {
    let text = match path.as_os_str() == "-" {
        true => std::io::read_to_string(std::io::stdin()),
        false => std::fs::read_to_string(path),
    };
    text.map_err(|cause| Error::invalid("unreadable", format!("{}: {cause}", path.display())))
}
