//! The binary `nigran`: reads the command line and does what it says.

use std::process::ExitCode;

/// A fifth of a filing's time went into the system's allocator; this one costs half of that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[actix_web::main]
async fn main() -> ExitCode {
    server::cli::run().await
}
