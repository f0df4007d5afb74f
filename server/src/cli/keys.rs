//! `nigran keys …`: which keys this server signs with, and what to do when the installation's are lost.

use std::process::ExitCode;

use clap::Subcommand;

use super::{open, say};
use crate::accounts::{Accounts, Tokens};
use crate::clock::Clock;
use crate::config::Config;
use crate::error::Result;

#[derive(Subcommand)]
pub(super) enum Keys {
    /// Print the public keys of this server (JWKS), the signing one first. Example: nigran keys show > jwks.json
    Show,
    /// Sign with this server's keys from now on: the installation's are lost. Example: nigran keys adopt
    Adopt,
}

impl Keys {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode> {
        let (db, folder) = (open(config)?, config.keys_folder());
        if matches!(self, Keys::Adopt) {
            // Makes the first one where there is none.
            Tokens::open(&folder, Clock::System)?;
        }
        let accounts = Accounts::open(db, Clock::System, &folder)?;
        match self {
            Keys::Show => say(&accounts.tokens().jwks().to_string()),
            Keys::Adopt => {
                for kid in accounts.adopt_keys().await? {
                    say(&format!("the installation signs with {kid}"));
                }
                say("copy the folder of the keys to every server of it, and start them again");
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
