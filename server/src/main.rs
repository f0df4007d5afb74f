//! The binary `nigran`: reads the command line and does what it says.

use std::process::ExitCode;

#[actix_web::main]
async fn main() -> ExitCode {
    server::cli::run().await
}
