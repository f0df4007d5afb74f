//! The real binary in a process of its own, for what cannot be seen from inside: kill -9, start-up, CPU and memory.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

pub use crate::app::PASSWORD;

/// How to start the binary.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The program.
    pub binary: PathBuf,
    /// Its data folder.
    pub data_dir: PathBuf,
    /// The database, where it is not the SQLite file in the data folder.
    pub database_url: Option<String>,
    /// Boundary files to import at the first start.
    pub boundaries: Vec<PathBuf>,
    /// Further settings, as environment variables.
    pub settings: Vec<(&'static str, String)>,
    /// What stands before the program: how it gets to a disk of its own.
    pub entrance: Vec<String>,
}

/// A start that came to nothing, or a command: how it ended, what it said, and how long that took.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; none: it had to be killed.
    pub code: Option<i32>,
    /// Everything it printed.
    pub said: String,
    /// From its start.
    pub took: Duration,
}

/// A server process. It is killed when this is dropped.
pub struct Nigran {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// From the start of the process until it said it was ready.
    pub started_in: Duration,
}

impl Launch {
    /// The binary with a data folder and nothing else.
    pub fn new(binary: &Path, data_dir: &Path) -> Launch {
        Launch {
            binary: binary.to_owned(),
            data_dir: data_dir.to_owned(),
            database_url: None,
            boundaries: Vec::new(),
            settings: Vec::new(),
            entrance: Vec::new(),
        }
    }

    /// The same with one more setting.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Launch {
        self.settings.push((name, value.into()));
        self
    }

    /// Runs `arguments` to their end, for at most 20 s: for what ought to refuse.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        let began = Instant::now();
        let mut command = self.command(arguments);
        command.env("NIGRAN_LISTEN", "127.0.0.1:0").stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program can be started");
        while child.try_wait().is_ok_and(|ended| ended.is_none()) && began.elapsed() < Duration::from_secs(20)
        {
            std::thread::sleep(Duration::from_millis(5));
        }
        let took = began.elapsed();
        let _ = child.kill();
        let output = child.wait_with_output().expect("its output can be read");
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Ended { code: output.status.code(), said, took }
    }

    /// The binary with `arguments`, its output captured, in the same surroundings as the server.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = match self.entrance.split_first() {
            None => Command::new(&self.binary),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(&self.binary);
                command
            }
        };
        // What the machine's own environment says about Nigran is not for the server under test.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("NIGRAN_"))
        {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .env("NIGRAN_DATA_DIR", &self.data_dir)
            .env("NIGRAN_BOOTSTRAP_PASSWORD", PASSWORD)
            // There is no balancer to wait for.
            .env("NIGRAN_LIMITS_DRAIN_SECONDS", "0")
            .stdin(Stdio::null());
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        if let Some(url) = &self.database_url {
            command.env("NIGRAN_DATABASE_URL", url);
        }
        if !self.boundaries.is_empty() {
            let files: Vec<_> = self.boundaries.iter().map(|file| file.display().to_string()).collect();
            command.env("NIGRAN_BOUNDARIES", files.join(","));
        }
        command
    }

    /// Starts `serve --demo` and waits until `/readyz` says yes and the accounts are made.
    ///
    /// What the server prints goes to `server.log` in its data folder, and into the error when it does not start.
    pub fn serve(&self) -> Result<Nigran, String> {
        self.serve_with(&[])
    }

    /// The same with further arguments.
    pub fn serve_with(&self, arguments: &[&str]) -> Result<Nigran, String> {
        let address = free_address();
        fs::create_dir_all(&self.data_dir).map_err(|cause| format!("making the data folder: {cause}"))?;
        let log = self.data_dir.join("server.log");
        let output = fs::File::create(&log);
        let output = output.map_err(|cause| format!("making {}: {cause}", log.display()))?;
        let errors = output.try_clone().map_err(|cause| cause.to_string())?;
        let started = Instant::now();
        let child = self
            .command(&[&["serve", "--demo"], arguments].concat())
            .env("NIGRAN_LISTEN", address.to_string())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(|cause| format!("starting {}: {cause}", self.binary.display()))?;
        let mut server = Nigran { child, address, started_in: Duration::ZERO };
        let said = || fs::read_to_string(&log).unwrap_or_default();
        let ready = server.wait_until(started, |server| is_ready(server.address));
        ready.map_err(|reason| format!("{reason}\n{}", said()))?;
        server.started_in = started.elapsed();
        // The server answers before it has made the accounts of a first start; this line comes after them.
        let furnished = server.wait_until(started, |_| said().contains("listens on"));
        furnished.map_err(|reason| format!("{reason}\n{}", said()))?;
        Ok(server)
    }
}

impl Nigran {
    fn wait_until(&mut self, started: Instant, ready: impl Fn(&Nigran) -> bool) -> Result<(), String> {
        while !ready(self) {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("the server ended before it was ready: {status}"));
            }
            if started.elapsed() > Duration::from_secs(60) {
                return Err("the server was not ready within 60 s".to_owned());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it without warning, as a power cut would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to stop (SIGTERM) and waits until it has.
    pub fn stop(mut self) -> Result<ExitStatus, String> {
        let asked = Command::new("kill").arg(self.pid().to_string()).status();
        asked.map_err(|cause| format!("sending SIGTERM: {cause}"))?;
        let deadline = Instant::now() + Duration::from_secs(30);
        while Instant::now() < deadline {
            match self.child.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                Err(cause) => return Err(cause.to_string()),
            }
        }
        Err("the server did not stop within 30 s of SIGTERM".to_owned())
    }
}

impl Drop for Nigran {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port nobody listens on at the moment.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback interface has a free port");
    listener.local_addr().expect("a bound socket has an address")
}

fn is_ready(address: SocketAddr) -> bool {
    use std::io::{Read, Write};
    let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) else {
        return false;
    };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let asked = stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut answer = [0; 12];
    asked.is_ok() && stream.read_exact(&mut answer).is_ok() && &answer[9..] == b"200"
}

/// What a process has used so far, from /proc.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// CPU time, user and system.
    pub cpu: Duration,
    /// Resident memory in bytes.
    pub resident: u64,
}

/// The usage of one process.
pub fn usage(pid: u32) -> Usage {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let resident =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok());
    Usage {
        cpu: ticks(pid).map_or(Duration::ZERO, |ticks| ticks.own),
        resident: resident.unwrap_or(0) * 1024,
    }
}

/// The CPU time of a process and of all children it has or had: what PostgreSQL used with its backends.
pub fn cpu_with_children(pid: u32) -> Duration {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let living: Duration = pids.filter_map(ticks).filter(|t| t.parent == pid).map(|t| t.own).sum();
    ticks(pid).map_or(Duration::ZERO, |t| t.own + t.ended_children) + living
}

struct Ticks {
    parent: u32,
    own: Duration,
    ended_children: Duration,
}

/// Fields 4 and 14 to 17 of /proc/PID/stat; the kernel counts in hundredths of a second.
fn ticks(pid: u32) -> Option<Ticks> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let hundredths = |at: usize| Some(Duration::from_millis(fields.get(at)?.parse::<u64>().ok()? * 10));
    Some(Ticks {
        parent: fields.get(1)?.parse().ok()?,
        own: hundredths(11)? + hundredths(12)?,
        ended_children: hundredths(13)? + hundredths(14)?,
    })
}
