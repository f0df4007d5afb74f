//! `nigran serve`: start the server, and on the first start make the accounts to begin with.

use std::process::ExitCode;

use clap::Args;

use super::{demo, say};
use crate::accounts::{bootstrap, random_password};
use crate::app::{self, App};
use crate::clock::{Clock, Ids};
use crate::config::Config;
use crate::error::{Error, Result};

#[derive(Args)]
pub(super) struct Serve {
    /// Also make one account for each role, and print them.
    #[arg(long)]
    demo: bool,
}

impl Serve {
    pub(super) async fn run(self, config: Config) -> Result<ExitCode> {
        let chosen = config.bootstrap_password.clone();
        let app = App::open(&config, Clock::System, Ids::Random).await?;
        // Accounts first, so that whoever finds the server up can log in.
        match self.demo {
            true => demo::accounts(&app, &config.listen, chosen).await?,
            false => first_account(&app, chosen).await?,
        }
        let running = app::serve(&config, app)?;
        say(&format!("Nigran listens on http://{}", running.address));
        running.wait().await?;
        tracing::info!("stopped in order");
        Ok(ExitCode::SUCCESS)
    }
}

/// Makes the administrator of a fresh installation and prints the password, once.
async fn first_account(app: &App, chosen: Option<String>) -> Result<()> {
    let db = app.db.clone();
    let password = chosen.clone().map_or_else(random_password, Ok)?;
    let hashed = password.clone();
    let made = tokio::task::spawn_blocking(move || bootstrap::ensure_admin(&db, &hashed))
        .await
        .map_err(|cause| Error::internal("making the first account", cause))??;
    match (made, chosen) {
        (None, _) => {}
        (Some(account), Some(_)) => say(&format!(
            "made the account {} with the password of NIGRAN_BOOTSTRAP_PASSWORD",
            account.username
        )),
        (Some(account), None) => {
            say(&format!("made the account {} with the password {password}", account.username));
            say("it is shown only this once; change it with POST /v1/accounts/{id}/password");
        }
    }
    Ok(())
}
