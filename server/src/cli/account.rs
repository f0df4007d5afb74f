//! `nigran account …`, beside a running server or without one.

use std::process::ExitCode;

use clap::Subcommand;

use super::{open, say};
use crate::accounts::{Line, NewAccount, Role, command_line};
use crate::config::Config;
use crate::error::{Error, Result};

#[derive(Subcommand)]
pub(super) enum Account {
    /// Make an account. Example: nigran account create --username asma --name "Asma B." --role inspector --area PK226
    Create {
        /// The name to log in with.
        #[arg(long)]
        username: String,
        /// The person's name.
        #[arg(long)]
        name: String,
        /// inspector, auditor, enumerator, supervisor, deputy_director, labour_head, swd_head, committee, case_worker, analyst,
        /// admin, oversight or log_auditor.
        #[arg(long)]
        role: Role,
        /// labour or swd, for a supervisor.
        #[arg(long)]
        line: Option<Line>,
        /// Chair of the Steering Committee.
        #[arg(long)]
        chair: bool,
        /// The Child Protection Unit of a case worker.
        #[arg(long)]
        unit: Option<String>,
        /// Code of a province, division or district; may be given several times.
        #[arg(long = "area", value_name = "CODE")]
        areas: Vec<String>,
        /// The person's code, such as INS-014; otherwise the next free one.
        #[arg(long)]
        code: Option<String>,
    },
    /// Close an account; its sessions end. Example: nigran account disable asma
    Disable {
        /// The name to log in with.
        username: String,
    },
    /// Give an account a new random password; its sessions end. Example: nigran account reset-password asma
    ResetPassword {
        /// The name to log in with.
        username: String,
    },
}

impl Account {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode> {
        let db = open(config)?;
        tokio::task::spawn_blocking(move || self.carry_out(&db))
            .await
            .map_err(|cause| Error::internal("changing an account", cause))??;
        Ok(ExitCode::SUCCESS)
    }

    fn carry_out(self, db: &crate::db::Db) -> Result<()> {
        match self {
            Account::Create { username, name, role, line, chair, unit, areas, code } => {
                let line = line.or(role.fixed_line());
                let new = NewAccount { username, name, role, line, chair, unit, areas, code, password: None };
                let made = command_line::create(db, new)?;
                say(&format!(
                    "made {} ({}, {})",
                    made.account.username, made.account.role, made.account.code
                ));
                show(made.password);
            }
            Account::Disable { username } => {
                let account = command_line::disable(db, &username)?;
                say(&format!("{} is disabled", account.username));
            }
            Account::ResetPassword { username } => {
                let changed = command_line::reset_password(db, &username, None)?;
                say(&format!("{} has a new password", changed.account.username));
                show(changed.password);
            }
        }
        Ok(())
    }
}

fn show(password: Option<String>) {
    if let Some(password) = password {
        say(&format!("password: {password}    (shown only this once)"));
    }
}
