//! `nigran facilities …`: the register in and out, beside a running server or without one.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;

use super::{NOT_AS_IT_SHOULD_BE, open, say};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{By, Db};
use crate::error::{Error, Result};
use crate::facilities::{self, Mode, Report, Sight};
use crate::places::Places;

#[derive(Subcommand)]
pub(super) enum Facilities {
    /// Import facilities from CSV. Exit code 3: lines have problems.
    /// Example: nigran facilities import kilns.csv --dry-run
    Import {
        /// The file; its first line names the columns.
        file: PathBuf,
        /// Only list the problems.
        #[arg(long)]
        dry_run: bool,
        /// Store the good lines even where others have problems.
        #[arg(long, conflicts_with = "dry_run")]
        good_lines: bool,
    },
    /// Write the register as CSV. Example: nigran facilities export > facilities.csv
    Export {
        /// With contacts and operators' names: keep such a file to yourself.
        #[arg(long)]
        with_people: bool,
    },
}

impl Facilities {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode> {
        let (db, spool) = (open(config)?, config.data_dir.join("imports"));
        tokio::task::spawn_blocking(move || self.carry_out(&db, spool))
            .await
            .map_err(|cause| Error::internal("reading or writing the register", cause))?
    }

    fn carry_out(self, db: &Db, spool: PathBuf) -> Result<ExitCode> {
        match self {
            Facilities::Export { with_people } => {
                facilities::export(db, std::io::stdout().lock(), &Sight::system(), with_people)?;
                Ok(ExitCode::SUCCESS)
            }
            Facilities::Import { file, dry_run, good_lines } => {
                let mode = match (dry_run, good_lines) {
                    (true, _) => Mode::DryRun,
                    (false, true) => Mode::GoodLines,
                    (false, false) => Mode::AllOrNothing,
                };
                let places = db.read_here(Places::load)?;
                let room = facilities::Facilities::new(db.clone(), places, Clock::System, spool);
                let progress = Progress::over(&file, if dry_run { 1 } else { 2 });
                let report = room.import(&file, mode, &Sight::system(), &By::system(), progress.teller())?;
                tell(&report, mode);
                Ok(if report.problem_count > 0 {
                    ExitCode::from(NOT_AS_IT_SHOULD_BE)
                } else {
                    ExitCode::SUCCESS
                })
            }
        }
    }
}

fn tell(report: &Report, mode: Mode) {
    for problem in &report.problems {
        let column = problem.column.as_deref().map(|column| format!(", {column}")).unwrap_or_default();
        say(&format!("line {}{column}: {} ({})", problem.line, problem.message, problem.code));
    }
    let unlisted = report.problem_count - report.problems.len() as u64;
    if unlisted > 0 {
        say(&format!("and {unlisted} further problems"));
    }
    for warning in &report.warnings {
        say(&format!("line {}: {} ({})", warning.line, warning.message, warning.code));
    }
    let unlisted = report.warning_count - report.warnings.len() as u64;
    if unlisted > 0 {
        say(&format!("and {unlisted} further warnings"));
    }
    if report.not_compared > 0 {
        say(&format!("{} lines without a position were not compared by name", report.not_compared));
    }
    say(&format!(
        "{} lines: {} good, {} of them known already; {} problems",
        report.lines, report.good, report.unchanged, report.problem_count
    ));
    say(&match (mode, report.done) {
        (Mode::DryRun, _) => "dry run: nothing was stored".to_owned(),
        (_, true) => format!("imported {} facilities", report.imported),
        (_, false) => {
            "nothing was stored; correct the lines, or import the good ones with --good-lines".to_owned()
        }
    });
}

/// How far a file is read, shown on a terminal only.
struct Progress {
    total: u64,
    is_shown: bool,
}

impl Progress {
    fn over(file: &Path, readings: u64) -> Progress {
        let size = std::fs::metadata(file).map_or(0, |file| file.len());
        Progress { total: size * readings, is_shown: std::io::stderr().is_terminal() }
    }

    /// Hears how many bytes of the present reading are done; a smaller number begins the next reading.
    fn teller(self) -> impl FnMut(u64) {
        let (mut before, mut last) = (0, 0);
        move |bytes| {
            if bytes < last {
                before += last;
            }
            last = bytes;
            if self.is_shown && self.total > 0 {
                let done = ((before + bytes) * 100 / self.total).min(100);
                let bar = "#".repeat(done as usize / 4);
                let _ = write!(std::io::stderr(), "\r[{bar:25}] {done:3} %");
                if done == 100 {
                    let _ = writeln!(std::io::stderr());
                }
            }
        }
    }
}
