//! The binary `nigran`: reads the command line and does what it says.

use std::process::ExitCode;

/// Filing is a fifth allocation, and what photos and uploads set aside must go back to the machine: both better than with
/// the system's allocator (docs/BENCHMARKS.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[actix_web::main]
async fn main() -> ExitCode {
    server::cli::run().await
}
