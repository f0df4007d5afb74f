//! Logs and metrics. A log line is a sentence for people with fields for queries; answers, names, positions and
//! tokens stay out of both.

use std::io::IsTerminal as _;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use metrics::{Unit, counter, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::LogConfig;
use crate::error::{Error, Result};

/// What is logged, and how to change it while the process runs.
struct Log {
    level: Mutex<String>,
    change: Change,
}

type Change = Box<dyn Fn(EnvFilter) -> std::result::Result<(), String> + Send + Sync>;

static LOG: OnceLock<Log> = OnceLock::new();

/// Starts the log once per process; later calls change nothing.
///
/// # Errors
/// `bad_setting` when `log.level` or `log.format` cannot be read.
pub fn start_log(config: &LogConfig) -> Result<()> {
    let filter = filter(&config.level)?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // A log started by someone else (a test) is as good as ours; then its level is not ours to change.
    let change: Change = match config.format.as_str() {
        "json" => {
            let log = log.json().flatten_event(true).with_filter_reloading();
            let handle = log.reload_handle();
            if log.try_init().is_err() {
                return Ok(());
            }
            Box::new(move |filter| handle.reload(filter).map_err(|cause| cause.to_string()))
        }
        "text" => {
            let log = log.with_target(false).with_filter_reloading();
            let handle = log.reload_handle();
            if log.try_init().is_err() {
                return Ok(());
            }
            Box::new(move |filter| handle.reload(filter).map_err(|cause| cause.to_string()))
        }
        other => {
            let detail = format!("log.format is text or json, not {other:?}");
            return Err(Error::invalid("bad_setting", detail));
        }
    };
    let _ = LOG.set(Log { level: Mutex::new(config.level.clone()), change });
    Ok(())
}

/// What is logged at the moment, in the words of `log.level`.
pub fn log_level() -> String {
    LOG.get().map(|log| log.level.lock().unwrap_or_else(PoisonError::into_inner).clone()).unwrap_or_default()
}

/// Changes what is logged, from now on.
///
/// # Errors
/// `bad_setting` when the words cannot be read; then nothing changes.
pub fn set_log_level(level: &str) -> Result<()> {
    let filter = filter(level)?;
    let Some(log) = LOG.get() else { return Ok(()) };
    (log.change)(filter).map_err(|cause| Error::internal("changing what is logged", cause))?;
    *log.level.lock().unwrap_or_else(PoisonError::into_inner) = level.to_owned();
    Ok(())
}

fn filter(level: &str) -> Result<EnvFilter> {
    EnvFilter::try_new(level).map_err(|cause| {
        let detail =
            format!("log.level {level:?} cannot be read ({cause}); write info, or server::media=debug,info");
        Error::invalid("bad_setting", detail)
    })
}

/// What sort of figure a metric is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure {
    /// It only rises.
    Counter,
    /// It rises and falls.
    Gauge,
    /// How often values fell into which range.
    Histogram(&'static [f64]),
}

/// A metric: its name, what sort it is, and what it tells.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name, as Prometheus knows it.
    pub name: &'static str,
    /// What sort of figure.
    pub figure: Figure,
    /// What it tells.
    pub about: &'static str,
}

const fn counts(name: &'static str, about: &'static str) -> Metric {
    Metric { name, figure: Figure::Counter, about }
}

const fn stands(name: &'static str, about: &'static str) -> Metric {
    Metric { name, figure: Figure::Gauge, about }
}

const fn spread(name: &'static str, ranges: &'static [f64], about: &'static str) -> Metric {
    Metric { name, figure: Figure::Histogram(ranges), about }
}

/// From half a millisecond to half a minute: requests, and what leaves the machine.
const LONG: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// From twenty microseconds to a second: what happens within.
const SHORT: &[f64] =
    &[0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0];
const UNITS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Every metric of the service. A test holds this against the sources, and the dashboard and the alerts against this.
pub const METRICS: &[Metric] = &[
    stands("nigran_build_info", "Always 1; its label is the version of the program"),
    counts("nigran_requests_total", "Requests answered, by method, route and status"),
    spread("nigran_request_seconds", LONG, "How long a request took, by route"),
    counts("nigran_silent_requests_total", "Requests whose sender fell silent"),
    counts("nigran_filings_total", "Submissions that arrived, by how (new, revised, repeated) and verdict"),
    spread("nigran_evaluation_seconds", SHORT, "How long it took to judge a submission"),
    counts("nigran_decisions_total", "Decisions of reviewers, by action"),
    counts("nigran_late_flags_total", "Flags raised after a submission was judged, by code"),
    spread("nigran_write_batch", UNITS, "How many units of work shared a commit"),
    spread("nigran_lane_batch", UNITS, "How many filings shared statements and a commit (PostgreSQL)"),
    spread("nigran_commit_seconds", SHORT, "How long a commit took, until it was on the disk"),
    stands("nigran_database_connections", "Connections to read with, by state (busy, idle)"),
    spread(
        "nigran_media_store_seconds",
        LONG,
        "How long the photo store took to answer, by deed and outcome",
    ),
    counts("nigran_media_store_retries_total", "Requests to the photo store that were made once more"),
    counts("nigran_media_damaged_total", "Files the photo store gave back other than they were"),
    counts("nigran_media_received_bytes", "Bytes of photos and documents that arrived whole"),
    counts("nigran_media_deduplicated", "Photos and documents that were in the store already"),
    spread("nigran_photo_seconds", LONG, "How long it took to decode a photo and make its copies"),
    counts("nigran_upload_received_bytes", "Bytes of resumable uploads"),
    counts("nigran_upload_conflicts_total", "Stretches of an upload that another sender was quicker with"),
    counts("nigran_uploads_total", "Resumable uploads that ended, by end"),
    stands("nigran_uploads_open", "Resumable uploads that wait for their next bytes"),
    counts("nigran_jobs_total", "Jobs that were run, by kind and outcome"),
    stands("nigran_jobs", "Jobs in the queue, by state"),
    stands("nigran_jobs_oldest_seconds", "How long the oldest job that could run has waited"),
    counts("nigran_notices_total", "Notices to people, by kind"),
    counts("nigran_deliveries_total", "Notices that were sent or not, by channel and outcome"),
    stands("nigran_deliveries", "Notices on their way, by channel and state"),
    stands("nigran_deliveries_oldest_seconds", "How long the oldest notice has waited, by channel"),
    stands("nigran_memory_resident_bytes", "Memory the process holds"),
    counts("nigran_cpu_seconds_total", "Processor time the process has used"),
    stands("nigran_open_files", "Files and connections the process has open"),
    stands("nigran_started_at_seconds", "When the process started, in seconds since 1970"),
];

/// The process's metrics, ready to be rendered for Prometheus.
pub fn metrics() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let recorder = builder().build_recorder();
        let handle = recorder.handle();
        // Another recorder may be installed already (a test); ours then simply stays empty.
        let _ = metrics::set_global_recorder(recorder);
        describe();
        handle
    })
}

fn builder() -> PrometheusBuilder {
    METRICS.iter().fold(PrometheusBuilder::new(), |builder, metric| match metric.figure {
        Figure::Histogram(ranges) => {
            let name = Matcher::Full(metric.name.to_owned());
            builder.set_buckets_for_metric(name, ranges).expect("no histogram of ours is without ranges")
        }
        _ => builder,
    })
}

fn describe() {
    for Metric { name, figure, about } in METRICS {
        match figure {
            Figure::Counter => metrics::describe_counter!(*name, *about),
            Figure::Gauge => metrics::describe_gauge!(*name, *about),
            Figure::Histogram(_) => metrics::describe_histogram!(*name, Unit::Count, *about),
        }
    }
    gauge!("nigran_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    gauge!("nigran_started_at_seconds").set(started.as_secs_f64());
}

/// Looks at the process itself. For whoever is about to show the metrics.
pub fn look_at_the_process() {
    if let Some(kib) = status("VmRSS:") {
        gauge!("nigran_memory_resident_bytes").set((kib * 1024) as f64);
    }
    if let Some(seconds) = cpu_seconds() {
        counter!("nigran_cpu_seconds_total").absolute(seconds);
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        gauge!("nigran_open_files").set(open.count() as f64);
    }
}

/// A figure of /proc/self/status, in its own unit (KiB for sizes).
fn status(name: &str) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok())
}

/// Fields 14 and 15 of /proc/self/stat, which the kernel counts in hundredths of a second.
fn cpu_seconds() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    Some((next()? + next()?) / 100)
}

/// Puts the values histograms gathered where they take no more room. To be called now and then, whoever reads them.
pub fn tidy() {
    metrics().run_upkeep();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_log_level_is_refused() {
        assert!(filter("server::media=debug,info").is_ok());
        assert_eq!(filter("info,=,").map(drop).unwrap_err().code, "bad_setting");
    }

    #[test]
    fn the_process_can_be_looked_at() {
        assert!(status("VmRSS:").is_some_and(|kib| kib > 1000));
        assert!(cpu_seconds().is_some());
    }
}
