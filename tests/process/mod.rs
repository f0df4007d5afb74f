//! The real binary as a process: what survives kill -9, what the command line says, how it starts and stops.

use std::path::Path;

use harness::process::Launch;

mod backup;
mod bombs;
mod command_line;
mod committee;
mod crash;
mod faults;
mod forms;
mod jobs;
mod lifecycle;
mod logging;
mod metrics;
mod migrate;
mod notices;
mod postgres;
mod postgres_tools;
mod refused;
mod replays;
mod replica;
mod several;
mod simulate;
mod slow;
mod store_down;
mod tls;
mod torn;
mod transfer;
mod transfer_tables;
mod uploads;

/// The binary with a data folder.
fn nigran(data_dir: &Path) -> Launch {
    Launch::new(Path::new(env!("CARGO_BIN_EXE_nigran-under-test")), data_dir)
}
