//! `nigran boundaries …`. A running server takes a new set in within seconds, and tags what was filed before again.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{open, say};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::places::{self, DEFAULT_URL, ImportOptions};

#[derive(Subcommand)]
pub(super) enum Boundaries {
    /// Import a set from GeoJSON. Example: nigran boundaries import districts.geojson --licence ODbL-1.0
    Import {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        #[command(flatten)]
        unsaid: Unsaid,
    },
    /// Fetch a set over the network and import it. Example: nigran boundaries fetch
    Fetch {
        /// Address of the GeoJSON, or of geoBoundaries' description of it.
        #[arg(default_value = DEFAULT_URL)]
        url: String,
        #[command(flatten)]
        unsaid: Unsaid,
    },
    /// List the sets. Example: nigran boundaries list
    List,
}

/// What the file does not say of itself.
#[derive(Args)]
pub(super) struct Unsaid {
    /// The set's name: PK-BA-ADM2-2023-34.
    #[arg(long)]
    set_id: Option<String>,
    /// 1 provinces, 2 districts, 3 tehsils.
    #[arg(long)]
    level: Option<u8>,
    /// Which state of affairs the lines show; begins with a year.
    #[arg(long)]
    vintage: Option<String>,
    /// First day in force.
    #[arg(long, value_name = "DATE")]
    valid_from: Option<chrono::NaiveDate>,
    /// First day no longer in force.
    #[arg(long, value_name = "DATE")]
    valid_to: Option<chrono::NaiveDate>,
    /// The licence; a set without one is refused.
    #[arg(long)]
    licence: Option<String>,
    /// The words to print wherever it is shown.
    #[arg(long)]
    attribution: Option<String>,
    /// How far a line may lie from the truth, in metres.
    #[arg(long, value_name = "METRES")]
    line_uncertainty_m: Option<f64>,
}

impl Boundaries {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode> {
        let db = open(config)?;
        match self {
            Boundaries::List => say(db.read_here(places::list)?.to_string().trim_end()),
            Boundaries::Fetch { url, unsaid } => {
                let imported = places::fetch_and_import(&db, &url, unsaid.into()).await?;
                say(imported.to_string().trim_end());
            }
            Boundaries::Import { files, unsaid } => {
                let options = ImportOptions::from(unsaid);
                let reports = tokio::task::spawn_blocking(move || {
                    files
                        .iter()
                        .map(|file| places::import_file(&db, file, &options))
                        .collect::<Result<Vec<_>>>()
                });
                let reports =
                    reports.await.map_err(|cause| Error::internal("importing boundaries", cause))??;
                reports.iter().for_each(|report| say(report.to_string().trim_end()));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl From<Unsaid> for ImportOptions {
    fn from(unsaid: Unsaid) -> ImportOptions {
        ImportOptions {
            set_id: unsaid.set_id,
            level: unsaid.level,
            vintage: unsaid.vintage,
            valid_from: unsaid.valid_from,
            valid_to: unsaid.valid_to,
            licence: unsaid.licence,
            attribution: unsaid.attribution,
            line_uncertainty_m: unsaid.line_uncertainty_m,
        }
    }
}
