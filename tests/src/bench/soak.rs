//! Filing for as long as one likes, and the memory it takes minute by minute.

use std::fmt::Write as _;
use std::time::Duration;

use super::envelope::Envelope;
use super::load::{self, Load, Target};
use super::report::{mebibytes, millis};
use super::run::{Options, login, progress};
use super::work::{File, Serials};
use crate::folders::TemporaryFolder;
use crate::postgres::Cluster;
use crate::process::Launch;
use crate::samples;

/// Files for `options.soak` minutes over 32 connections.
pub(super) async fn measure(
    options: &Options,
    name: &'static str,
    cluster: Option<&Cluster>,
) -> Result<String, String> {
    let folder = TemporaryFolder::new();
    let mut launch = Launch::new(&options.binary, folder.path());
    launch.database_url = cluster.map(|cluster| cluster.url(&cluster.create(None)));
    let server = launch.serve()?;
    let target =
        Target { address: server.address, server: server.pid(), database: cluster.map(Cluster::pid) };
    let (serials, envelope) = (Serials::default(), Envelope::of(&samples::b1()));
    let mut text = format!("### {name}: filing for {} minutes\n\n", options.soak);
    text += "| minute | per second | p99 ms | resident MiB |\n|--:|--:|--:|--:|\n";
    for minute in 1..=options.soak {
        progress(name, &format!("soak, minute {minute} of {}", options.soak));
        // A token is good for a quarter of an hour.
        let token = login(server.address, "inspector").await?;
        let work = File { token, envelope: envelope.clone(), photos: None, serials: serials.clone() };
        let load = Load { connections: 32, warm_up: Duration::ZERO, measured: Duration::from_secs(60) };
        let measured = load::run(target, load, |_| work.clone()).await?;
        let p99 = millis(measured.percentile(0.99), 1);
        let _ =
            writeln!(text, "| {minute} | {:.0} | {p99} | {} |", measured.rate, mebibytes(measured.resident));
    }
    server.stop()?;
    Ok(text + "\n")
}
