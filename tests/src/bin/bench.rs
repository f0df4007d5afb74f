//! `make bench`: measures the release build over HTTP and prints the tables of docs/BENCHMARKS.md.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use harness::bench::{Options, PARTS, run};

const HELP: &str = "\
Usage: bench [--postgres] [--seconds N] [--connections 8,32,64] [--storm PEOPLE] [--kills N] [--only PARTS] [--million N] [--soak MINUTES] [--binary PATH]

Starts the release binary `nigran` on a folder of its own, loads it over HTTP and prints Markdown tables.

  --postgres           measures on a private PostgreSQL as well, with fsync on
  --seconds N          length of each measurement, 5 unless told
  --connections LIST   numbers of connections, 8,32,64 unless told
  --storm PEOPLE       phones on a torn network, 200 unless told; 0 leaves the storm out (it takes some minutes)
  --kills N            how often the server is killed in the storm, 3 unless told
  --only LIST          of answers,batches,photos,uploads,reading,planning,register,findings,process,storm; all unless told
  --million N          nothing but what N stored submissions cost those who come after: lists, filing, starting; with the floor
                       of this machine, filing while others read, and four processes against one
  --soak MINUTES       nothing but filing for so long, and the memory it takes
  --binary PATH        the server to measure; the one beside this program unless told

Example: bench --postgres --seconds 10
";

fn main() -> ExitCode {
    match options(std::env::args().skip(1)).and_then(|options| run(&options)) {
        Ok(report) => match std::io::stdout().write_all(report.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(reason) => {
            let _ = writeln!(std::io::stderr(), "{reason}");
            ExitCode::FAILURE
        }
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        binary: beside_this_program("nigran"),
        postgres: false,
        connections: vec![8, 32, 64],
        warm_up: Duration::from_secs(1),
        measured: Duration::from_secs(5),
        storm: 200,
        kills: 3,
        only: Vec::new(),
        million: 0,
        soak: 0,
    };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value\n\n{HELP}"));
        match argument.as_str() {
            "--postgres" => options.postgres = true,
            "--million" => options.million = number(&value()?)? as u32,
            "--soak" => options.soak = number(value()?.trim_end_matches('m'))? as u32,
            "--only" => options.only = parts(&value()?)?,
            "--kills" => {
                options.kills = value()?.parse().map_err(|_| format!("--kills needs a number\n\n{HELP}"))?;
            }
            "--storm" => {
                options.storm = value()?.parse().map_err(|_| format!("--storm needs a number\n\n{HELP}"))?;
            }
            "--binary" => options.binary = value()?.into(),
            "--seconds" => options.measured = Duration::from_secs(number(&value()?)?),
            "--connections" => {
                options.connections =
                    value()?.split(',').map(|n| number(n).map(|n| n as usize)).collect::<Result<_, _>>()?;
            }
            _ => return Err(HELP.to_owned()),
        }
    }
    Ok(options)
}

fn parts(text: &str) -> Result<Vec<String>, String> {
    let parts: Vec<String> = text.split(',').map(str::to_owned).collect();
    match parts.iter().find(|part| !PARTS.contains(&part.as_str())) {
        Some(unknown) => Err(format!("{unknown} is no part of the benchmark\n\n{HELP}")),
        None => Ok(parts),
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| format!("{text} is not a number above zero\n\n{HELP}"))
}

fn beside_this_program(name: &str) -> PathBuf {
    let here = std::env::current_exe().unwrap_or_default();
    here.with_file_name(name)
}
