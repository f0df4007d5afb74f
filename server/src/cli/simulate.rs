//! `nigran simulate`: a province of phones against a server, for demonstrations and for load. It makes accounts and files
//! inspections that nobody made: never run it against a server that holds real ones. With `--months` it starts a server of
//! its own, on a clock that is moved, and plays a year of findings and deadlines (`simulated_year.rs`).

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::say;
use super::simulated_year::SimulatedYear;
use crate::clock::Clock;
use crate::collector::{Plan, Played, Province, Sizes, Tally};
use crate::error::{Error, Result};

/// Without a terminal, a line of progress at most this often.
const LINE_EVERY: Duration = Duration::from_secs(5);

#[derive(Args)]
pub(super) struct Simulate {
    /// The server.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// How many people go out: seven in ten labour inspectors, two auditors, one interviewer.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    inspectors: u32,
    /// How many days, the last of them today.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=90))]
    days: u32,
    /// Play so many months of findings, referrals, reviews and deadlines instead, on a server of its own whose clock is
    /// moved, and examine the books. The same seed gives the same events, to the byte.
    #[arg(long, conflicts_with_all = ["url", "days", "photo_kb"], value_parser = clap::value_parser!(u32).range(1..=60))]
    months: Option<u32>,
    /// The same seed plays the same province.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// An administrator of the server.
    #[arg(long, default_value = "admin")]
    admin: String,
    /// The administrator's password; without it, the line read from standard input.
    #[arg(long, env = "NIGRAN_BOOTSTRAP_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// Photos have this many KB at most, and a quarter of it at least.
    #[arg(long, default_value_t = 240, value_parser = clap::value_parser!(u32).range(1..=15_000))]
    photo_kb: u32,
    /// Where the phones keep their queues meanwhile; without it, a folder of its own that is removed afterwards.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

impl Simulate {
    pub(super) async fn run(self) -> Result<ExitCode> {
        if let Some(months) = self.months {
            let year =
                SimulatedYear { people: self.inspectors, months, seed: self.seed, folder: self.folder };
            return year.run().await;
        }
        let most = u64::from(self.photo_kb) * 1000;
        let kept = self.folder.is_some();
        let folder = self.folder.clone().unwrap_or_else(|| {
            std::env::temp_dir().join(format!("nigran-simulate-{}", uuid::Uuid::now_v7().simple()))
        });
        let plan = Plan {
            url: self.url.clone(),
            administrator: (self.admin.clone(), self.password()?),
            people: self.inspectors as usize,
            days: self.days,
            seed: self.seed,
            run: Clock::System.now().timestamp_micros().unsigned_abs(),
            sizes: Sizes { photo: (most / 4, most), ..Sizes::default() },
            folder: folder.clone(),
        };
        say(&format!("{} people, {} days, seed {}, against {}", plan.people, plan.days, plan.seed, plan.url));
        let began = Instant::now();
        let progress = Progress::of(u64::from(self.inspectors) * u64::from(self.days));
        let played = Province::new(plan).play(move |day| progress.day(day)).await;
        if !kept {
            // What could not be removed is in the machine's own temporary folder.
            let _ = std::fs::remove_dir_all(&folder);
        }
        let played = played?;
        table(&played, began.elapsed());
        let failed = !played.left.is_empty() || played.tally.not_genuine > 0;
        Ok(if failed { ExitCode::from(super::NOT_AS_IT_SHOULD_BE) } else { ExitCode::SUCCESS })
    }

    fn password(&self) -> Result<String> {
        if let Some(password) = &self.password {
            return Ok(password.clone());
        }
        let mut line = String::new();
        std::io::stdin()
            .read_line(&mut line)
            .map_err(|cause| Error::invalid("no_password", format!("reading the password: {cause}")))?;
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }
}

/// A bar on a terminal, plain lines elsewhere.
struct Progress {
    bar: Option<ProgressBar>,
    of: u64,
    days: AtomicU64,
    filed: AtomicU64,
    photos: AtomicU64,
    began: Instant,
    /// Milliseconds since the beginning at which the last line was printed.
    told: AtomicU64,
}

impl Progress {
    fn of(of: u64) -> Progress {
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} days  {msg}  {eta} left");
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(of), ProgressDrawTarget::stderr());
            style.map_or(bar.clone(), |style| bar.with_style(style))
        });
        let zero = || AtomicU64::new(0);
        Progress { bar, of, days: zero(), filed: zero(), photos: zero(), began: Instant::now(), told: zero() }
    }

    fn day(&self, day: &Tally) {
        let days = self.days.fetch_add(1, Ordering::Relaxed) + 1;
        let filed = self.filed.fetch_add(day.filed, Ordering::Relaxed) + day.filed;
        let photos = self.photos.fetch_add(day.photos, Ordering::Relaxed) + day.photos;
        let message = format!("{filed} filed, {photos} photos");
        if let Some(bar) = &self.bar {
            bar.set_message(message);
            bar.inc(1);
            return;
        }
        let now = self.began.elapsed().as_millis() as u64;
        let told = self.told.load(Ordering::Relaxed);
        let is_time = days == self.of || now - told >= LINE_EVERY.as_millis() as u64;
        if is_time && self.told.compare_exchange(told, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            say(&format!("{days} of {} days: {message}", self.of));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn table(played: &Played, took: Duration) {
    let row = |what: &str, value: String| say(&format!("{what:32} {value:>14}"));
    let tally = &played.tally;
    let mib = |bytes: u64| format!("{:.1} MiB", bytes as f64 / 1_048_576.0);
    row("submissions filed", tally.filed.to_string());
    row("photos filed", tally.photos.to_string());
    row("tried again", tally.retried.to_string());
    row("uploads begun again from zero", tally.restarted.to_string());
    row("receipts that prove nothing", tally.not_genuine.to_string());
    row("passwords asked for", played.logins.to_string());
    row("requests", played.requests.to_string());
    row("bytes sent", mib(played.sent));
    row("bytes sent ÷ bytes needed", format!("{:.3}", played.sent as f64 / tally.needed.max(1) as f64));
    row("took", format!("{:.1} s", took.as_secs_f64()));
    row("submissions a second", format!("{:.1}", tally.filed as f64 / took.as_secs_f64().max(0.001)));
    counts("verdicts", &played.verdicts, usize::MAX);
    counts("findings", &played.findings, 12);
    counts("flags", &played.flags, 12);
    counts("phone and server said", &played.agreement, usize::MAX);
    counts("they differed over", &played.differences, 12);
    counts("did not get through", &played.left, usize::MAX);
}

/// The most frequent first.
fn counts(heading: &str, counts: &BTreeMap<String, u64>, most: usize) {
    if counts.is_empty() {
        return;
    }
    say(heading);
    let mut sorted: Vec<(&String, &u64)> = counts.iter().collect();
    sorted.sort_by(|(one, few), (other, many)| many.cmp(few).then(one.cmp(other)));
    for (what, count) in sorted.iter().take(most) {
        say(&format!("  {what:30} {count:>14}"));
    }
    if sorted.len() > most {
        say(&format!("  and {} others", sorted.len() - most));
    }
}
