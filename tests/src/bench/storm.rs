//! The storm: a province's phones on a torn network before a server that is killed again and again. It measures what the
//! tearing costs, and fails if anything is lost, doubled or begun again.

use std::path::Path;
use std::time::Duration;

use server::collector::{Backoff, Sizes};

use super::report;
use crate::folders::TemporaryFolder;
use crate::process::Launch;
use crate::proxy::Weather;
use crate::torn::{Outcome, Trial, endure};

/// Links of 16, 64 and 256 kbit/s, torn every 150 KB; so many people with five visits of three photos or more each.
fn whole(people: usize, kills: usize) -> Trial {
    Trial {
        seed: 11,
        people,
        submissions: 5,
        photos: 3,
        sizes: Sizes { photo: (40_000, 90_000), signature: (5_000, 12_000) },
        weather: Weather {
            seed: 11,
            bits_per_second: vec![16_000, 64_000, 64_000, 256_000],
            delay: Duration::from_millis(150),
            cut_every: Some(150_000),
            silent: 0.1,
            silence: Duration::from_secs(20),
            half_closed: 0.1,
            swallowed: 0.02,
            repeated: 0.03,
        },
        kills,
        life: Duration::from_secs(40),
        patience: Duration::from_secs(10),
        backoff: Backoff { first: Duration::from_millis(500), longest: Duration::from_secs(15) },
        phones_die: 0.05,
        at_most: Duration::from_secs(30 * 60),
    }
}

/// Goes through it on the embedded database, and says in a table what it cost.
///
/// # Errors
/// When anything is lost, doubled or begun again, each thing by name.
pub(super) fn measure(binary: &Path, people: usize, kills: usize) -> Result<String, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let folder = TemporaryFolder::new();
    let launch = Launch::new(binary, folder.path());
    let outcome =
        runtime.map_err(|cause| cause.to_string())?.block_on(endure(launch, &whole(people, kills)))?;
    match outcome.faults.is_empty() {
        true => Ok(told(people, kills, &outcome)),
        false => Err(format!("the storm lost something:\n{}", outcome.faults.join("\n"))),
    }
}

fn told(people: usize, kills: usize, outcome: &Outcome) -> String {
    let seen = &outcome.seen;
    let row = |what: &str, value: String| (what.to_owned(), value);
    let mib = |bytes: u64| format!("{} MiB", report::mebibytes(bytes));
    let rows = [
        row("submissions, all there once and as sent", outcome.filed.to_string()),
        row("photos, all there and as sent", outcome.photos.to_string()),
        row("receipts that prove it", outcome.filed.to_string()),
        row("uploads begun again from zero", outcome.tally.restarted.to_string()),
        row("connections", seen.connections.to_string()),
        row("of these cut at some byte, silently", format!("{}, {}", seen.cut, seen.silenced)),
        row("of these closed on the sending side only", seen.half_closed.to_string()),
        row("answers swallowed after the deed", seen.swallowed.to_string()),
        row("requests that came once more, later", seen.repeated.to_string()),
        row("times the server was killed", kills.to_string()),
        row("times a phone died", outcome.deaths.to_string()),
        row("times a password was needed again", outcome.logins.to_string()),
        row("bytes needed", mib(outcome.needed)),
        row("bytes sent, headers included", mib(seen.up)),
        row("bytes sent ÷ bytes needed", format!("{:.3}", outcome.ratio())),
        row("bytes received", mib(seen.down)),
        row("requests put off or without an answer", outcome.tally.retried.to_string()),
        row("took", format!("{:.0} s", outcome.took.as_secs_f64())),
    ];
    report::figures(&format!("A storm: {people} phones on links of 16 to 256 kbit/s"), &rows)
}
