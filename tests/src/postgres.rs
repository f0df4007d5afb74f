//! A private PostgreSQL cluster from the distribution's binaries: on a socket in a folder of its own, gone when the
//! process is. A shell watches over it and reads a pipe that only this process holds; however the process ends
//! (return, panic, kill -9), the pipe closes, and the shell stops PostgreSQL and removes the folder.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::sql_types::BigInt;
use diesel::{Connection, PgConnection, RunQueryDsl};

const INSTALL: &str = "install PostgreSQL's server binaries: apt-get install --no-install-recommends postgresql \
     (as root, `make test` does it; no system cluster is created or touched)";

/// Whether a commit must survive a power cut.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// No: for tests.
    None,
    /// Yes, with PostgreSQL's own defaults: for benchmarks.
    Full,
}

/// A running cluster. It stops when this is dropped or the process ends.
pub struct Cluster {
    dir: PathBuf,
    /// Where it listens beside its socket; none: on the socket alone.
    port: Option<u16>,
    /// What to put before a command so that it sees what the cluster sees.
    entrance: Vec<String>,
    watch: Child,
    made: AtomicU32,
    /// One copy at a time: PostgreSQL refuses a template that somebody is connected to.
    copying: Mutex<()>,
}

/// How a cluster begins, but for its durability.
#[derive(Default)]
struct Beginning {
    port: Option<u16>,
    /// The folder of the cluster it is a replica of.
    primary: Option<PathBuf>,
    entrance: Vec<String>,
}

const WATCH: &str = r#"
dir=$1 bin=$2 primary=$3; shift 3
trap '' HUP
mkdir -m 700 "$dir" || exit 1
if [ -z "$primary" ]; then
    "$bin/initdb" -D "$dir/data" -A trust -U nigran -E UTF8 --locale=C --no-sync >"$dir/log" 2>&1 || exit 1
else
    "$bin/pg_basebackup" -h "$primary" -U nigran -D "$dir/data" -R -c fast --no-sync >"$dir/log" 2>&1 || exit 1
fi
"$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c max_connections=300 "$@" >>"$dir/log" 2>&1 </dev/null &
read -r _
pid=$(head -n 1 "$dir/data/postmaster.pid")
kill -QUIT "$pid"
wait $!
while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done
rm -rf "$dir"
"#;

impl Cluster {
    /// The cluster all tests of this process share.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start; the message says what to install.
    pub fn shared() -> &'static Cluster {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| Cluster::start(Durability::None).unwrap_or_else(|reason| panic!("{reason}")))
    }

    /// Starts a cluster and waits until it answers.
    pub fn start(durability: Durability) -> Result<Cluster, String> {
        Cluster::start_with(durability, &Beginning::default())
    }

    /// Starts a streaming replica of this cluster, as `pg_basebackup -R` makes one: it has the same databases, and only reads.
    pub fn standby(&self) -> Result<Cluster, String> {
        let beginning = Beginning { primary: Some(self.dir.clone()), ..Beginning::default() };
        Cluster::start_with(Durability::None, &beginning)
    }

    /// Starts a cluster that listens on this port of `localhost` too.
    pub fn start_on(port: u16) -> Result<Cluster, String> {
        Cluster::start_with(Durability::None, &Beginning { port: Some(port), ..Beginning::default() })
    }

    /// Starts a cluster that sees a disk of a test (`Disk::entrance`).
    pub fn start_beside(entrance: Vec<String>) -> Result<Cluster, String> {
        Cluster::start_with(Durability::None, &Beginning { entrance, ..Beginning::default() })
    }

    fn start_with(durability: Durability, beginning: &Beginning) -> Result<Cluster, String> {
        let bin = binaries().ok_or(INSTALL)?;
        // A socket's path may have 107 bytes at most, so the folder stands in /tmp whatever TMPDIR says.
        let dir = PathBuf::from(format!("/tmp/nigran-pg-{}", uuid::Uuid::now_v7().simple()));
        let mut command = unprivileged("sh", &beginning.entrance);
        command.args(["-c", WATCH, "watch"]).arg(&dir).arg(&bin);
        command.arg(beginning.primary.as_deref().unwrap_or(Path::new("")));
        if durability == Durability::None {
            command.args(["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]);
        }
        if let Some(port) = beginning.port {
            command.args(["-c", "listen_addresses=localhost", "-c", &format!("port={port}")]);
        }
        let watch = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C is for the test; the watch must outlive it to clean up.
            .process_group(0)
            .spawn()
            .map_err(|cause| format!("starting PostgreSQL: {cause}"))?;
        let (port, entrance) = (beginning.port, beginning.entrance.clone());
        let mut cluster =
            Cluster { dir, port, entrance, watch, made: AtomicU32::new(0), copying: Mutex::new(()) };
        cluster.wait_until_it_answers()?;
        Ok(cluster)
    }

    fn wait_until_it_answers(&mut self) -> Result<(), String> {
        let started = Instant::now();
        while PgConnection::establish(&self.url("postgres")).is_err() {
            let ended = self.watch.try_wait().is_ok_and(|status| status.is_some());
            if ended || started.elapsed() > Duration::from_secs(30) {
                let log = fs::read_to_string(self.dir.join("log")).unwrap_or_default();
                return Err(format!("PostgreSQL did not start in {}:\n{log}", self.dir.display()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// The URL of a database of this cluster.
    pub fn url(&self, database: &str) -> String {
        let port = self.port.map(|port| format!("&port={port}")).unwrap_or_default();
        format!("postgres:///{database}?host={}&user=nigran{port}", self.dir.display())
    }

    /// Ends every process of the server at once, as a power cut would, and starts it again.
    pub fn die_and_rise(&self) -> Result<(), String> {
        let bin = binaries().ok_or(INSTALL)?;
        let done = unprivileged(&bin.join("pg_ctl").display().to_string(), &self.entrance)
            .args(["restart", "-m", "immediate", "-w", "-s", "-D"])
            .arg(self.dir.join("data"))
            .arg("-l")
            .arg(self.dir.join("log"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .map_err(|cause| format!("restarting PostgreSQL: {cause}"))?;
        done.success().then_some(()).ok_or_else(|| format!("PostgreSQL did not start again: {done}"))
    }

    /// Has it speak TLS with this certificate and key, in PEM.
    pub fn speak_tls(&self, certificate: &str, key: &str) -> Result<(), String> {
        self.keep("server.crt", certificate)?;
        self.keep("server.key", key)?;
        let mut conn = PgConnection::establish(&self.url("postgres")).map_err(|cause| cause.to_string())?;
        conn.batch_execute("ALTER SYSTEM SET ssl = on").map_err(|cause| cause.to_string())?;
        conn.batch_execute("SELECT pg_reload_conf()").map_err(|cause| cause.to_string())?;
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(10) {
            let mut conn =
                PgConnection::establish(&self.url("postgres")).map_err(|cause| cause.to_string())?;
            let on = diesel::select(sql::<diesel::sql_types::Bool>("current_setting('ssl') = 'on'"));
            if on.get_result(&mut conn).map_err(|cause| cause.to_string())? {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err("PostgreSQL does not take up its certificate".to_owned())
    }

    /// Has it ask everybody who does not come by the socket for a password, and gives one to `nigran`.
    pub fn ask_for_passwords(&self, password: &str) -> Result<(), String> {
        self.keep("pg_hba.conf", "local all all trust\nhost all all all scram-sha-256\n")?;
        let mut conn = PgConnection::establish(&self.url("postgres")).map_err(|cause| cause.to_string())?;
        let told = format!("ALTER USER nigran PASSWORD '{password}'");
        conn.batch_execute(&told).map_err(|cause| cause.to_string())?;
        conn.batch_execute("SELECT pg_reload_conf()").map_err(|cause| cause.to_string())
    }

    /// Makes a new database whose tables lie in this folder, which the cluster's user may write to, and returns its name.
    pub fn create_in(&self, folder: &Path) -> String {
        let place = folder.join("tablespace");
        let made = unprivileged("mkdir", &self.entrance).arg(&place).status();
        assert!(made.is_ok_and(|made| made.success()), "{} cannot be made", place.display());
        let mut conn = PgConnection::establish(&self.url("postgres")).expect("the cluster answers");
        conn.batch_execute(&format!("CREATE TABLESPACE elsewhere LOCATION '{}'", place.display()))
            .expect("one tablespace a cluster");
        let name = format!("test_{}", self.made.fetch_add(1, Ordering::Relaxed));
        conn.batch_execute(&format!("CREATE DATABASE {name} TABLESPACE elsewhere"))
            .expect("a new database has a new name");
        name
    }

    /// Writes a file into the data folder, as the user the server runs as.
    fn keep(&self, name: &str, content: &str) -> Result<(), String> {
        use std::io::Write;
        let failed = |cause: std::io::Error| format!("writing {name}: {cause}");
        let mut command = unprivileged("sh", &self.entrance);
        command.args(["-c", "umask 077; cat >\"$1\"", "keep"]).arg(self.dir.join("data").join(name));
        let mut child = command.stdin(Stdio::piped()).spawn().map_err(failed)?;
        if let Some(mut to) = child.stdin.take() {
            to.write_all(content.as_bytes()).map_err(failed)?;
        }
        child.wait().map(drop).map_err(failed)
    }

    /// Makes a new database, empty or a copy of `template`, and returns its name.
    pub fn create(&self, template: Option<&str>) -> String {
        let name = format!("test_{}", self.made.fetch_add(1, Ordering::Relaxed));
        let copy = template.map(|template| format!(" TEMPLATE {template}")).unwrap_or_default();
        let _one_at_a_time = self.copying.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut conn = PgConnection::establish(&self.url("postgres")).expect("the cluster answers");
        conn.batch_execute(&format!("CREATE DATABASE {name}{copy}")).expect("a new database has a new name");
        name
    }

    /// Removes a database, whoever is connected to it still.
    pub fn remove(&self, database: &str) {
        if let Ok(mut conn) = PgConnection::establish(&self.url("postgres")) {
            let _ = conn.batch_execute(&format!("DROP DATABASE {database} WITH (FORCE)"));
        }
    }

    /// The process id of PostgreSQL itself.
    pub fn pid(&self) -> u32 {
        let file = fs::read_to_string(self.dir.join("data/postmaster.pid")).unwrap_or_default();
        file.lines().next().and_then(|pid| pid.parse().ok()).expect("a running cluster has a postmaster.pid")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        let _ = self.watch.wait();
    }
}

/// The bytes a database takes on disk.
///
/// # Panics
/// When it cannot be asked.
pub fn size(url: &str) -> u64 {
    let mut conn = PgConnection::establish(url).expect("the cluster answers");
    let asked = diesel::select(sql::<BigInt>("pg_database_size(current_database())"));
    asked.get_result::<i64>(&mut conn).expect("a database has a size").unsigned_abs()
}

/// PostgreSQL refuses to run as root, so root runs it as `postgres`, the user that came with it.
fn unprivileged(program: &str, entrance: &[String]) -> Command {
    let root = fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0);
    let as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"];
    let before = as_postgres.iter().filter(|_| root).copied();
    let mut words = entrance.iter().map(String::as_str).chain(before).chain([program]);
    let mut command = Command::new(words.next().unwrap_or(program));
    command.args(words);
    command
}

/// The folder with `initdb` and `postgres`: the newest version Debian has installed, else what is on the PATH.
fn binaries() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut installed: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").exists())
        .collect();
    installed.sort();
    let newest = installed.pop().map(|(_, bin)| bin);
    newest.or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|dir: &PathBuf| Path::new(dir).join("initdb").exists())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_a_copy_of_its_template() {
        let cluster = Cluster::shared();
        let template = cluster.create(None);
        let mut conn = PgConnection::establish(&cluster.url(&template)).unwrap();
        conn.batch_execute("CREATE TABLE kept (n INT)").unwrap();
        drop(conn);

        let copy = cluster.create(Some(&template));

        let mut conn = PgConnection::establish(&cluster.url(&copy)).unwrap();
        conn.batch_execute("SELECT n FROM kept").unwrap();
    }

    #[test]
    fn a_cluster_leaves_nothing_behind() {
        let cluster = Cluster::start(Durability::None).unwrap();
        let (dir, pid) = (cluster.dir.clone(), cluster.pid());

        drop(cluster);

        assert!(!dir.exists());
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
    }
}
