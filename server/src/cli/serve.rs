//! `nigran serve`: start the server, and on the first start make the accounts to begin with.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::{demo, say};
use crate::accounts::{bootstrap, random_password};
use crate::app::{self, App};
use crate::audit::{self, Event};
use crate::clock::{Clock, Ids};
use crate::config::Config;
use crate::db::By;
use crate::error::{Error, Result};
use crate::telemetry;

#[derive(Args)]
pub(super) struct Serve {
    /// Also make one account for each role, and print them.
    #[arg(long)]
    demo: bool,
}

impl Serve {
    pub(super) async fn run(self, config: Config, settings: Option<PathBuf>) -> Result<ExitCode> {
        // Before anything else, for an unheard SIGHUP ends a process.
        let told =
            signal(SignalKind::hangup()).map_err(|cause| Error::internal("listening for signals", cause))?;
        let chosen = config.bootstrap_password.clone();
        let app = App::open(&config, Clock::System, Ids::Random).await?;
        // Accounts first, so that whoever finds the server up can log in.
        match self.demo {
            true => demo::accounts(&app, &config.listen, chosen).await?,
            false => first_account(&app, chosen).await?,
        }
        let running = app::serve(&config, app)?;
        let scheme = if config.tls.certificate.is_some() { "https" } else { "http" };
        say(&format!("Nigran listens on {scheme}://{}", running.address));
        let listening = tokio::spawn(reread_when_told(told, running.app.clone(), settings));
        running.wait().await?;
        listening.abort();
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

/// On SIGHUP (`systemctl reload nigran`) the settings are read again, and what is logged changes at once. Nothing else
/// does: for the rest the server is started again.
async fn reread_when_told(mut told: tokio::signal::unix::Signal, app: App, settings: Option<PathBuf>) {
    while told.recv().await.is_some() {
        match reread(&app, settings.as_deref()).await {
            Ok(level) => tracing::info!(log_level = level, "read the settings again; logging {level}"),
            Err(error) => {
                tracing::error!(%error, "the settings cannot be read again; everything stays as it was")
            }
        }
    }
}

async fn reread(app: &App, settings: Option<&Path>) -> Result<String> {
    let level = Config::load(settings, std::env::vars())?.log.level;
    let before = telemetry::log_level();
    telemetry::set_log_level(&level)?;
    if before != level {
        let details = json!({ "from": before, "to": level });
        app.db
            .write(By::system(), move |tx| {
                audit::record(
                    tx,
                    Event::new("log.level_changed", "process", std::process::id(), details.clone()),
                )
            })
            .await?;
    }
    Ok(level)
}
