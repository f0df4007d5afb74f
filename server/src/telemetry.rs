//! Logs and metrics. A log line is a sentence for people with fields for queries; answers, names, positions and
//! tokens stay out of both.

use std::io::IsTerminal as _;
use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::LogConfig;

/// Starts the log once per process; later calls change nothing.
pub fn start_log(config: &LogConfig) {
    let filter = EnvFilter::try_new(&config.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // A log started by someone else (a test) is as good as ours.
    let _ = match config.format.as_str() {
        "json" => log.json().flatten_event(true).try_init(),
        _ => log.try_init(),
    };
}

/// The process's metrics, ready to be rendered for Prometheus.
pub fn metrics() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        // Another recorder may be installed already (a test); ours then simply stays empty.
        let _ = metrics::set_global_recorder(recorder);
        handle
    })
}
