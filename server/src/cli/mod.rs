//! The command line. Exit codes: 0 done; 1 it could not be done; 2 the command itself was wrong (clap's own);
//! 3 something was looked at and is not as it should be: a log or receipt that is not as written, a questionnaire that is refused,
//! a case that comes out differently.

mod account;
mod backup;
mod boundaries;
mod demo;
mod facilities;
mod form;
mod keys;
mod migrate;
mod minutes;
mod progress;
mod replay;
mod serve;
mod simulate;
mod simulated_year;
mod transfer;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::clock::{Clock, Ids};
use crate::config::Config;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::{data_folder, http, telemetry};

/// Something was looked at and is not as it should be.
const NOT_AS_IT_SHOULD_BE: u8 = 3;

/// Field surveys with rules-driven forms, for child protection in Balochistan.
#[derive(Parser)]
#[command(name = "nigran", version, about, max_term_width = 100)]
struct Cli {
    /// Settings file; without it, ./nigran.toml if there is one.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the server. Example: nigran serve --demo
    Serve(serve::Serve),
    /// Bring the database to the shape this version needs, or back. Example: nigran migrate
    Migrate(migrate::Migrate),
    /// Accounts. Example: nigran account create --username asma --name "Asma B." --role inspector --area PK226
    #[command(subcommand)]
    Account(account::Account),
    /// The keys this server signs with. Example: nigran keys show > jwks.json
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Boundary sets. Example: nigran boundaries import districts.geojson
    #[command(subcommand)]
    Boundaries(boundaries::Boundaries),
    /// The register of facilities. Example: nigran facilities import kilns.csv --dry-run
    #[command(subcommand)]
    Facilities(facilities::Facilities),
    /// Questionnaires. Example: nigran form check form-definitions/child-labour-inspection
    #[command(subcommand)]
    Form(form::Form),
    /// Try a proposed questionnaire on past submissions. Example: nigran replay --package my-form --sample 1000
    Replay(replay::Replay),
    /// Save the embedded database and photos while the server runs. Example: nigran backup /mnt/backup
    Backup(backup::Backup),
    /// Make a new data folder from a backup. Example: nigran restore /mnt/backup
    Restore(backup::Restore),
    /// Move to another database and photo store. Example: nigran transfer --from ./nigran-data --to province.toml
    Transfer(transfer::Transfer),
    /// The audit log. Example: nigran audit verify
    #[command(subcommand)]
    Audit(verify::Audit),
    /// Receipts. Example: nigran receipt verify receipt.jws --jwks jwks.json
    #[command(subcommand)]
    Receipt(verify::ReceiptCommand),
    /// Minutes of the Committee. Example: nigran minutes verify minutes.json --keys jwks.json
    #[command(subcommand)]
    Minutes(minutes::Minutes),
    /// Play a province against a server that holds nothing real. Example: nigran simulate --inspectors 50 --days 5
    Simulate(simulate::Simulate),
    /// Print the description of the HTTP interface (OpenAPI 3.1). Example: nigran openapi > openapi.json
    Openapi,
}

/// Runs the command line.
pub async fn run() -> ExitCode {
    let cli = Cli::parse();
    match dispatch(cli).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("nigran: {}", error.detail);
            if let Some(cause) = &error.cause {
                eprintln!("  because: {cause}");
            }
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Command::Serve(serve) => {
            let file = settings_file(cli.config);
            serve.run(settings(file.clone())?, file).await
        }
        Command::Migrate(migrate) => migrate.run(&settings(cli.config)?).await,
        Command::Account(command) => command.run(&settings(cli.config)?).await,
        Command::Keys(command) => command.run(&settings(cli.config)?).await,
        Command::Boundaries(command) => command.run(&settings(cli.config)?).await,
        Command::Facilities(command) => command.run(&settings(cli.config)?).await,
        Command::Form(command) => command.run(|| settings(cli.config)).await,
        Command::Replay(replay) => replay.run(&settings(cli.config)?).await,
        Command::Backup(command) => command.run(settings(cli.config)?).await,
        Command::Restore(command) => command.run(settings(cli.config)?).await,
        Command::Transfer(transfer) => transfer.run(settings_file(cli.config)).await,
        Command::Audit(command) => command.run(&settings(cli.config)?),
        Command::Receipt(command) => command.run(),
        Command::Minutes(command) => command.run(),
        Command::Simulate(simulate) => simulate.run().await,
        Command::Openapi => openapi(),
    }
}

/// The settings file: the one named, else the one in the folder one stands in.
fn settings_file(named: Option<PathBuf>) -> Option<PathBuf> {
    let beside = PathBuf::from("nigran.toml");
    named.or_else(|| beside.exists().then_some(beside))
}

fn settings(file: Option<PathBuf>) -> Result<Config> {
    let config = Config::load(settings_file(file).as_deref(), std::env::vars())?;
    telemetry::start_log(&config.log)?;
    Ok(config)
}

/// Opens the database of the settings, migrated.
fn open(config: &Config) -> Result<Db> {
    data_folder::open(config)?;
    Db::open(&config.database_url(), Clock::System, Ids::Random)
}

fn openapi() -> Result<ExitCode> {
    let text = http::api::openapi()
        .to_pretty_json()
        .map_err(|cause| Error::internal("writing the description", cause))?;
    say(&text);
    Ok(ExitCode::SUCCESS)
}

/// Prints a line for the person at the terminal. A reader that went away (`| head`) is no failure.
fn say(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{line}");
}
