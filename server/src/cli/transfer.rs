//! `nigran transfer`: move from the embedded default to PostgreSQL and a bucket of one's own, or back.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::progress::Bar;
use super::{NOT_AS_IT_SHOULD_BE, say};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::telemetry;
use crate::transfer::{Moved, Stage, transfer};

/// Each end is a settings file (`province.toml`), a data folder with the embedded database and photo store, or a database
/// URL, for which the other settings are the usual ones.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Transfer {
    /// Where everything is now; it is only read. Without it: what the usual settings say.
    #[arg(long, value_name = "SETTINGS|FOLDER|URL")]
    from: Option<String>,
    /// Where everything goes. It must be empty, or begun by an earlier transfer.
    #[arg(long, value_name = "SETTINGS|FOLDER|URL")]
    to: String,
}

const AFTER_HELP: &str = "\
Stop the server first. A transfer that was interrupted goes on where it was when the same command is given again.
Settings of either end can be given by variables: NIGRAN_FROM_… and NIGRAN_TO_…, as in NIGRAN_TO_MEDIA_SECRET_KEY.
Exit code 3: moved, but photos are missing or damaged in the old store; they are named.";

impl Transfer {
    pub(super) async fn run(self, usual: Option<PathBuf>) -> Result<ExitCode> {
        let from = house(self.from.as_deref(), "NIGRAN_FROM_", usual.as_deref())?;
        let to = house(Some(&self.to), "NIGRAN_TO_", usual.as_deref())?;
        telemetry::start_log(&from.log)?;
        let moving = tokio::task::spawn_blocking(move || {
            let bars = [Bar::new("rows"), Bar::new("photos"), Bar::new("checked rows")];
            let moved = transfer(&from, &to, &mut |stage, done, all| {
                let bar = match stage {
                    Stage::Rows => &bars[0],
                    Stage::Photos => &bars[1],
                    Stage::Checking => &bars[2],
                };
                bar.show(done, all);
                if done == all {
                    bar.finish();
                }
            });
            bars.iter().for_each(Bar::finish);
            moved
        });
        let moved = moving.await.map_err(|cause| Error::internal("moving", cause))??;
        Ok(report(&moved))
    }
}

fn report(moved: &Moved) -> ExitCode {
    say(if moved.went_on { "the transfer that was begun is done" } else { "the transfer is done" });
    say(&format!("  database  {} tables, {} rows, compared row by row", moved.tables, moved.rows));
    match moved.same_store {
        true => say(&format!("  photos    {} stay where they are, all read", moved.files)),
        false => say(&format!(
            "  photos    {} read back from the new store, {} of them copied now",
            moved.files, moved.copied
        )),
    }
    if let Some(head) = &moved.chain_ended_in {
        say(&format!("  audit log verified; its chain ended in {head}"));
    }
    say(
        "start the server with the new settings; do not start it with the old ones again, phones would file there",
    );
    moved.missing.iter().for_each(|sha256| say(&format!("MISSING in the old store: {sha256}")));
    moved.damaged.iter().for_each(|sha256| say(&format!("DAMAGED in the old store: {sha256}")));
    match moved.missing.is_empty() && moved.damaged.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(NOT_AS_IT_SHOULD_BE),
    }
}

/// The settings of one end. Variables that begin with `prefix` overlay them.
fn house(end: Option<&str>, prefix: &str, usual: Option<&Path>) -> Result<Config> {
    let own = std::env::vars().filter_map(|(name, value)| {
        name.strip_prefix(prefix).map(|setting| (format!("NIGRAN_{setting}"), value))
    });
    let common = std::env::vars()
        .filter(|(name, _)| !name.starts_with("NIGRAN_FROM_") && !name.starts_with("NIGRAN_TO_"));
    match end.map(Named::of) {
        None => Config::load(usual, common.chain(own)),
        Some(Named::Url(url)) => {
            let url = ("NIGRAN_DATABASE_URL".to_owned(), url.to_owned());
            Config::load(usual, common.chain(own).chain([url]))
        }
        Some(Named::File(file)) => Config::load(Some(file), own),
        Some(Named::Folder(folder)) => {
            let folder = ("NIGRAN_DATA_DIR".to_owned(), folder.display().to_string());
            Config::load(None, own.chain([folder]))
        }
    }
}

/// What an end is called by.
#[derive(Debug, PartialEq, Eq)]
enum Named<'w> {
    Url(&'w str),
    File(&'w Path),
    Folder(&'w Path),
}

impl Named<'_> {
    fn of(word: &str) -> Named<'_> {
        let path = Path::new(word);
        if ["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| word.starts_with(scheme)) {
            Named::Url(word)
        } else if path.is_file() || path.extension().is_some_and(|extension| extension == "toml") {
            Named::File(path)
        } else {
            Named::Folder(path)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_url_a_settings_file_or_a_folder() {
        assert_eq!(Named::of("postgres://db/nigran"), Named::Url("postgres://db/nigran"));
        assert_eq!(Named::of("sqlite:a.sqlite"), Named::Url("sqlite:a.sqlite"));
        assert_eq!(Named::of("province.toml"), Named::File(Path::new("province.toml")));
        assert_eq!(Named::of("./nigran-data"), Named::Folder(Path::new("./nigran-data")));
    }
}
