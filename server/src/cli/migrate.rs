//! `nigran migrate`: bring the database to the shape of this version, or back to that of an older one.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::{open, say};
use crate::audit::{self, Event};
use crate::config::Config;
use crate::data_folder;
use crate::db::{self, By};
use crate::error::Result;

#[derive(Args)]
pub(super) struct Migrate {
    /// Go back to the shape an older version knows, named by its last migration (20261124000017). What later ones added
    /// goes with what it holds: take a backup first, and stop every server.
    #[arg(long, value_name = "VERSION")]
    back_to: Option<String>,
}

impl Migrate {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode> {
        match self.back_to {
            None => forward(config),
            Some(version) => back(config, &version).await,
        }
    }
}

fn forward(config: &Config) -> Result<ExitCode> {
    let done = data_folder::open(config)?;
    for migration in &done {
        say(&format!("ran {migration}"));
    }
    say(if done.is_empty() { "the database is up to date" } else { "the database is migrated" });
    Ok(ExitCode::SUCCESS)
}

/// The deed is recorded first: afterwards the database may have the shape of a time before there were such events.
async fn back(config: &Config, version: &str) -> Result<ExitCode> {
    db::known_shape(version)?;
    let db = open(config)?;
    let to = version.to_owned();
    db.write(By::system(), move |tx| {
        audit::record(tx, Event::new("data.taken_back", "schema", &to, json!({})))
    })
    .await?;
    db.close();
    drop(db);
    let undone = db::back_to(&config.database_url(), version)?;
    for migration in &undone {
        say(&format!("undid {migration}"));
    }
    say(&format!("the database has shape {version}; start the version of the program that knows it"));
    Ok(ExitCode::SUCCESS)
}
