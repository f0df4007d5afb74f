//! The binary `nigran`: reads the command line and does what it says.

use std::process::ExitCode;

/// It gives back what is no longer used, and keeps two pools for all threads; the system's keeps one for each thread for ever. How it
/// is set stands in `.cargo/config.toml`.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[actix_web::main]
async fn main() -> ExitCode {
    server::cli::run().await
}
