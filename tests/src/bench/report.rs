//! The tables, in Markdown, ready for docs/BENCHMARKS.md.

use std::fmt::Write;
use std::time::Duration;

use super::load::Measured;

/// The rows of one table about filing or reading.
pub(super) struct Table {
    text: String,
}

impl Table {
    /// An empty table under a heading.
    pub(super) fn new(heading: &str) -> Table {
        let mut text = format!("### {heading}\n\n");
        text += "| work | connections | per second | p50 ms | p95 ms | p99 ms | server CPU ms each | database CPU ms each | resident MiB |\n";
        text += "|---|--:|--:|--:|--:|--:|--:|--:|--:|\n";
        Table { text }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, work: &str, measured: &Measured) {
        let database = measured.database_cpu.map_or_else(|| "–".to_owned(), |cpu| millis(cpu, 3));
        let _ = writeln!(
            self.text,
            "| {work} | {} | {:.0} | {} | {} | {} | {} | {database} | {} |",
            measured.connections,
            measured.rate,
            millis(measured.percentile(0.50), 2),
            millis(measured.percentile(0.95), 2),
            millis(measured.percentile(0.99), 2),
            millis(measured.server_cpu, 3),
            mebibytes(measured.resident),
        );
    }

    /// The table as text.
    pub(super) fn finish(self) -> String {
        self.text + "\n"
    }
}

/// Single figures under a heading.
pub(super) fn figures(heading: &str, rows: &[(String, String)]) -> String {
    let mut text = format!("### {heading}\n\n| | |\n|---|--:|\n");
    for (what, value) in rows {
        let _ = writeln!(text, "| {what} | {value} |");
    }
    text + "\n"
}

/// A duration in milliseconds.
pub(super) fn millis(duration: Duration, digits: usize) -> String {
    format!("{:.digits$}", duration.as_secs_f64() * 1000.0)
}

/// Bytes in MiB.
pub(super) fn mebibytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / (1024.0 * 1024.0))
}
