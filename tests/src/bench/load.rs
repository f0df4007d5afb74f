//! Work done over many connections at once for a fixed time, and what it cost: latencies here, CPU and memory there.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::connection::Connection;
use crate::process::{self, Usage};

/// Where the load goes, and whose CPU is counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    /// The server's address.
    pub(super) address: SocketAddr,
    /// The server's process.
    pub(super) server: u32,
    /// PostgreSQL's first process, where there is one.
    pub(super) database: Option<u32>,
}

/// How long and how wide.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// Connections, each with one request under way.
    pub(super) connections: usize,
    /// Not counted, at the beginning.
    pub(super) warm_up: Duration,
    /// Counted.
    pub(super) measured: Duration,
}

/// What one connection does again and again.
pub(super) trait Work: 'static {
    /// Does it once; an error is a sentence that says what the server answered.
    async fn once(&mut self, connection: &mut Connection) -> Result<(), String>;
}

/// What was seen while it was measured.
pub(super) struct Measured {
    /// Connections.
    pub(super) connections: usize,
    /// Per second.
    pub(super) rate: f64,
    /// Sorted, in microseconds.
    latencies: Vec<u32>,
    /// The server's CPU time for one.
    pub(super) server_cpu: Duration,
    /// The database's CPU time for one, where it is a process of its own.
    pub(super) database_cpu: Option<Duration>,
    /// The server's resident memory at the end.
    pub(super) resident: u64,
}

impl Measured {
    /// The latency that `share` of the requests did not exceed.
    pub(super) fn percentile(&self, share: f64) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        let at = (last as f64 * share).round() as usize;
        Duration::from_micros(self.latencies.get(at).copied().unwrap_or(0).into())
    }
}

/// Runs the load. `work` makes what connection number `n` does.
///
/// The first answer that is not the one expected ends it: figures of refusals would be no figures.
pub(super) async fn run<W: Work>(
    target: Target,
    load: Load,
    work: impl Fn(usize) -> W,
) -> Result<Measured, String> {
    let counting = Rc::new(Cell::new(false));
    let stopped = Rc::new(Cell::new(false));
    let mut connections = JoinSet::new();
    for n in 0..load.connections {
        let connection =
            Connection::open(target.address).await.map_err(|cause| format!("connecting: {cause}"))?;
        let share = Share { work: work(n), connection, counting: counting.clone(), stopped: stopped.clone() };
        connections.spawn_local(share.run());
    }
    tokio::time::sleep(load.warm_up).await;
    let before = Meter::read(target);
    counting.set(true);
    tokio::time::sleep(load.measured).await;
    counting.set(false);
    let after = Meter::read(target);
    stopped.set(true);
    let mut latencies = Vec::new();
    while let Some(share) = connections.join_next().await {
        latencies.extend(share.map_err(|cause| cause.to_string())??);
    }
    latencies.sort_unstable();
    Ok(before.until(after, load.connections, latencies))
}

struct Share<W> {
    work: W,
    connection: Connection,
    counting: Rc<Cell<bool>>,
    stopped: Rc<Cell<bool>>,
}

impl<W: Work> Share<W> {
    async fn run(mut self) -> Result<Vec<u32>, String> {
        let mut latencies = Vec::new();
        while !self.stopped.get() {
            let started = Instant::now();
            self.work.once(&mut self.connection).await?;
            if self.counting.get() {
                latencies.push(u32::try_from(started.elapsed().as_micros()).unwrap_or(u32::MAX));
            }
        }
        Ok(latencies)
    }
}

struct Meter {
    at: Instant,
    server: Usage,
    database: Option<Duration>,
}

impl Meter {
    fn read(target: Target) -> Meter {
        Meter {
            at: Instant::now(),
            server: process::usage(target.server),
            database: target.database.map(process::cpu_with_children),
        }
    }

    fn until(&self, end: Meter, connections: usize, latencies: Vec<u32>) -> Measured {
        let done = latencies.len();
        let each = u32::try_from(done.max(1)).unwrap_or(u32::MAX);
        Measured {
            connections,
            rate: done as f64 / (end.at - self.at).as_secs_f64(),
            server_cpu: end.server.cpu.saturating_sub(self.server.cpu) / each,
            database_cpu: self
                .database
                .zip(end.database)
                .map(|(before, after)| after.saturating_sub(before) / each),
            resident: end.server.resident,
            latencies,
        }
    }
}
