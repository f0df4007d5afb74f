//! `nigran backup` and `nigran restore`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::progress::Bar;
use super::{NOT_AS_IT_SHOULD_BE, say};
use crate::backup::{self, Taken};
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Error, Result};

/// Arguments of `nigran backup`.
#[derive(Args)]
pub(super) struct Backup {
    /// The backup folder, best on another disk; it may hold earlier backups.
    folder: PathBuf,
}

impl Backup {
    pub(super) async fn run(self, config: Config) -> Result<ExitCode> {
        blocking(move || self.save(&config)).await
    }

    fn save(self, config: &Config) -> Result<ExitCode> {
        let bar = Bar::new("photos");
        let taken =
            backup::take(config, &self.folder, Clock::System.now(), &mut |done, all| bar.show(done, all))?;
        bar.finish();
        report(&taken, config);
        taken.missing.iter().for_each(|sha256| say(&format!("MISSING in the media store: {sha256}")));
        match taken.missing.is_empty() {
            true => Ok(ExitCode::SUCCESS),
            false => Ok(ExitCode::from(NOT_AS_IT_SHOULD_BE)),
        }
    }
}

fn report(taken: &Taken, config: &Config) {
    let counts = &taken.manifest.counts;
    say(&format!("saved {} as it was at {}", taken.snapshot.display(), taken.manifest.taken_at));
    say(&format!(
        "  database  {} bytes, {} events in the audit log",
        taken.manifest.database_bytes, counts.sealed_events
    ));
    match config.media.endpoint {
        None => say(&format!(
            "  photos    {} ({} bytes), {} of them new ({} bytes)",
            counts.files, counts.file_bytes, taken.copied.0, taken.copied.1
        )),
        Some(_) => say("  photos    not copied: they are in a bucket of yours, which has means of its own"),
    }
}

/// Arguments of `nigran restore`.
#[derive(Args)]
pub(super) struct Restore {
    /// The backup folder.
    folder: PathBuf,
    /// Name of a snapshot; without it, the latest.
    #[arg(long, value_name = "NAME")]
    snapshot: Option<String>,
}

impl Restore {
    pub(super) async fn run(self, config: Config) -> Result<ExitCode> {
        blocking(move || self.restore(&config)).await
    }

    fn restore(self, config: &Config) -> Result<ExitCode> {
        let bar = Bar::new("photos");
        let restored = backup::restore(config, &self.folder, self.snapshot.as_deref(), &mut |done, all| {
            bar.show(done, all);
        })?;
        bar.finish();
        let counts = &restored.manifest.counts;
        say(&format!("restored {} to {}", restored.snapshot, config.data_dir.display()));
        say(&format!(
            "  as it was at {}: {} events in the audit log, {} photos, all checked",
            restored.manifest.taken_at, counts.sealed_events, counts.files
        ));
        Ok(ExitCode::SUCCESS)
    }
}

async fn blocking(work: impl FnOnce() -> Result<ExitCode> + Send + 'static) -> Result<ExitCode> {
    let worked = tokio::task::spawn_blocking(work).await;
    worked.map_err(|cause| Error::internal("copying files", cause))?
}
