//! The benchmark from start to end: start the release binary on a folder of its own, log in, load it, write it down.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::LocalSet;

use super::batches::{self, Batch};
use super::connection::Connection;
use super::envelope::{Envelope, PhotoSeries};
use super::load::{self, Load, Target};
use super::report::{self, Table};
use super::work::{File, Read, Serials, expect, put};
use super::{growth, identical, micro, planner, reconcile, register, replays, soak, storm, uploads};
use crate::folders::{self, TemporaryFolder};
use crate::postgres::{Cluster, Durability};
use crate::process::{self, Launch, Nigran, PASSWORD};
use crate::samples::{self, Submission};

const PHOTO_BYTES: usize = 200 * 1024;

/// How long after a start what it needed for a moment only has gone back to the system.
const SETTLED_AFTER: Duration = Duration::from_secs(3);

/// What to measure.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server's release binary.
    pub binary: PathBuf,
    /// On PostgreSQL as well, with fsync on.
    pub postgres: bool,
    /// The numbers of connections to try.
    pub connections: Vec<usize>,
    /// Not counted, before each measurement.
    pub warm_up: Duration,
    /// The length of each measurement.
    pub measured: Duration,
    /// People in the storm; 0: none.
    pub storm: usize,
    /// How often the server is killed in it.
    pub kills: usize,
    /// Parts of it, by name (`PARTS`); none: everything.
    pub only: Vec<String>,
    /// Nothing but what so many submissions cost those who come after; 0: everything else.
    pub million: u32,
    /// Nothing but filing for so many minutes; 0: everything else.
    pub soak: u32,
}

/// What can be measured alone.
pub const PARTS: &[&str] = &[
    "answers", "batches", "photos", "uploads", "reading", "planning", "register", "replay", "findings",
    "process", "storm",
];

impl Options {
    fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == part)
    }

    fn wants_a_server(&self) -> bool {
        PARTS.iter().any(|part| !["process", "storm"].contains(part) && self.wants(part))
    }
}

/// Runs everything and returns the report as Markdown. What is being done is told on standard error meanwhile.
pub fn run(options: &Options) -> Result<String, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|cause| cause.to_string())?;
    let mut text = String::new();
    LocalSet::new().block_on(&runtime, async {
        if !options.wants_a_server() {
            return Ok(());
        }
        text += &on_database(options, "SQLite", None).await?;
        if options.postgres {
            let cluster = Cluster::start(Durability::Full)?;
            text += &on_database(options, "PostgreSQL", Some(&cluster)).await?;
        }
        Ok::<(), String>(())
    })?;
    if options.million > 0 || options.soak > 0 {
        return Ok(text);
    }
    if options.wants("process") {
        text += &report::figures("In the process", &micro::measure()?);
    }
    if options.storm > 0 && options.wants("storm") {
        progress("storm", &format!("{} phones, some minutes", options.storm));
        text += &storm::measure(&options.binary, options.storm, options.kills)?;
    }
    Ok(text)
}

async fn on_database(
    options: &Options,
    name: &'static str,
    cluster: Option<&Cluster>,
) -> Result<String, String> {
    if options.million > 0 {
        return growth::measure(options, name, cluster).await;
    }
    if options.soak > 0 {
        return soak::measure(options, name, cluster).await;
    }
    let folder = TemporaryFolder::new();
    let mut launch = Launch::new(&options.binary, folder.path());
    launch.database_url = cluster.map(|cluster| cluster.url(&cluster.create(None)));
    let files = ["bal_adm1.geojson", "bal_adm2_2023_34.geojson", "bal_adm3_tehsil_130.geojson"];
    launch.boundaries = files.iter().filter_map(|file| folders::shared(&format!("geo/{file}"))).collect();
    let log = folder.path().join("server.log");
    let measured = measure(options, name, cluster, launch).await;
    measured.map_err(|reason| format!("{reason}\nThe server's last words:\n{}", last_lines(&log, 20)))
}

/// What the server said last; it says why, when something went wrong.
fn last_lines(log: &Path, count: usize) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

async fn measure(
    options: &Options,
    name: &'static str,
    cluster: Option<&Cluster>,
    launch: Launch,
) -> Result<String, String> {
    let mut bench =
        Bench { options, name, cluster, launch, figures: Vec::new(), serials: Serials::default() };
    let mut server = bench.start_up().await?;
    let mut text = String::new();
    if options.wants("answers") {
        text += &bench.answers(server).await?;
        server = bench.launch.serve()?;
    }
    if options.wants("batches") {
        bench.batches(&server).await?;
    }
    if options.wants("replay") {
        bench.replaying(&server).await?;
    }
    if options.wants("photos") {
        text += &bench.photos(&server).await?;
    }
    if options.wants("uploads") {
        server.stop()?;
        server = bench.launch.serve()?;
        bench.uploads(&server).await?;
    }
    if options.wants("reading") {
        text += &bench.reading(&server).await?;
    }
    if options.wants("planning") {
        text += &bench.planning(&server).await?;
    }
    if options.wants("register") {
        text += &bench.register(&server).await?;
    }
    bench.figure(
        "identical PUT, 8 at once",
        identical::measure(server.address, &bench.login(&server).await?).await?,
    );
    if options.wants("findings") {
        bench.reconciling().await?;
    }
    let headings = format!("{name}: start, memory, disk");
    Ok(text + &report::figures(&headings, &bench.figures))
}

struct Bench<'o> {
    options: &'o Options,
    name: &'static str,
    cluster: Option<&'o Cluster>,
    launch: Launch,
    figures: Vec<(String, String)>,
    serials: Serials,
}

impl Bench<'_> {
    fn figure(&mut self, what: &str, value: String) {
        self.figures.push((what.to_owned(), value));
    }

    /// The first start makes keys and accounts and imports boundaries; the later ones are what a restart costs.
    async fn start_up(&mut self) -> Result<Nigran, String> {
        progress(self.name, "starting");
        let first = self.launch.serve()?;
        self.figure(
            "first start to ready, with accounts and boundaries, ms",
            report::millis(first.started_in, 0),
        );
        first.stop()?;
        let mut times = Vec::new();
        for _ in 0..5 {
            let again = self.launch.serve()?;
            times.push(again.started_in);
            again.stop()?;
        }
        times.sort();
        self.figure("start to ready, median of 5, ms", report::millis(times[2], 0));
        let server = self.launch.serve()?;
        tokio::time::sleep(SETTLED_AFTER).await;
        self.figure("resident memory idle, MiB", report::mebibytes(process::usage(server.pid()).resident));
        Ok(server)
    }

    async fn answers(&mut self, server: Nigran) -> Result<String, String> {
        let mut table = Table::new(&format!("{}: filing, answers only", self.name));
        let before = self.stored();
        for &connections in &self.options.connections {
            self.file(&server, &mut table, "clean shop", &samples::b1(), connections, None).await?;
        }
        self.figure(
            "resident memory after answers only, MiB",
            report::mebibytes(process::usage(server.pid()).resident),
        );
        server.stop()?;
        let each = self.stored().saturating_sub(before) / u64::from(self.serials.given().max(1));
        self.figure(
            "bytes on disk for a submission of the clean shop, all tables and indexes",
            each.to_string(),
        );
        let server = self.launch.serve()?;
        self.file(&server, &mut table, "coal mine, 2 children, 28 findings", &samples::b2(), 32, None)
            .await?;
        server.stop()?;
        Ok(table.finish())
    }

    /// The same inspections as one request.
    async fn batches(&mut self, server: &Nigran) -> Result<(), String> {
        let envelope = Envelope::of(&samples::b1());
        let batch = Batch { token: self.login(server).await?, envelope, serials: self.serials.clone() };
        for connections in [1, 4] {
            progress(self.name, &format!("batches, {connections} at once"));
            let measured = batches::measure(server.address, server.pid(), &batch, connections).await?;
            self.figure(&format!("batch of 5 000 inspections, {connections} at once"), measured);
        }
        Ok(())
    }

    /// A proposed release tried on what was filed so far.
    async fn replaying(&mut self, server: &Nigran) -> Result<(), String> {
        progress(self.name, "replaying past inspections");
        let member = self.login_as(server, "committee2").await?;
        let measured = replays::measure(server.address, &member).await?;
        self.figure(&format!("replay of {} inspections by two releases", replays::VISITS), measured);
        Ok(())
    }

    async fn photos(&mut self, server: &Nigran) -> Result<String, String> {
        let mut table = Table::new(&format!("{}: filing, with a photo of 200 KB each", self.name));
        let series = PhotoSeries::of(PHOTO_BYTES);
        for &connections in &self.options.connections {
            let photos = Some(series.clone());
            self.file(server, &mut table, "clean shop + photo", &samples::b1(), connections, photos).await?;
        }
        self.figure(
            "resident memory after photos, MiB",
            report::mebibytes(process::usage(server.pid()).resident),
        );
        Ok(table.finish())
    }

    /// As many resumable uploads at once as a whole district may send.
    async fn uploads(&mut self, server: &Nigran) -> Result<(), String> {
        progress(self.name, "resumable uploads");
        let token = self.login(server).await?;
        tokio::time::sleep(SETTLED_AFTER).await;
        let measured = uploads::measure(server.address, server.pid(), &token).await?;
        let what =
            format!("{} resumable uploads of {} MB at once", uploads::AT_ONCE, uploads::BYTES / 1_000_000);
        self.figure(&what, measured);
        progress(self.name, "an upload in tiny stretches");
        let measured = uploads::measure_tiny(server.address, server.pid(), &token).await?;
        self.figure(&format!("one upload in {} stretches of 3 bytes to 1 KB", uploads::TINY), measured);
        Ok(())
    }

    async fn file(
        &self,
        server: &Nigran,
        table: &mut Table,
        what: &str,
        sample: &Submission,
        connections: usize,
        photos: Option<PhotoSeries>,
    ) -> Result<(), String> {
        progress(self.name, &format!("{what}, {connections} connections"));
        let photos = photos.map(|series| (photo_name(sample), series));
        let envelope = match &photos {
            Some((name, series)) => Envelope::with_photo(sample, name, series.size()),
            None => Envelope::of(sample),
        };
        let work = File { token: self.login(server).await?, envelope, photos, serials: self.serials.clone() };
        let measured = load::run(self.target(server), self.load(connections), |_| work.clone()).await?;
        table.row(what, &measured);
        Ok(())
    }

    async fn reading(&mut self, server: &Nigran) -> Result<String, String> {
        let mut table = Table::new(&format!("{}: reading", self.name));
        let token = self.login(server).await?;
        for (what, path, connections) in [
            ("form list", "/v1/forms", 32),
            ("form release", "/v1/forms/child-labour-inspection/releases/1", 32),
            ("submissions, page of 50", "/v1/submissions", 8),
        ] {
            progress(self.name, what);
            let once = Read::new(path, &token, None);
            let etag = once.etag(server.address).await?;
            for (kind, read) in
                [("", Some(once)), (", ETag hit", etag.map(|etag| Read::new(path, &token, Some(&etag))))]
            {
                let Some(read) = read else { continue };
                let measured =
                    load::run(self.target(server), self.load(connections), |_| read.clone()).await?;
                table.row(&format!("{what}{kind}"), &measured);
            }
        }
        self.syncing(server, &mut table).await?;
        Ok(table.finish())
    }

    /// What every phone asks whenever it has a signal, and is mostly told: nothing has changed.
    async fn syncing(&self, server: &Nigran, table: &mut Table) -> Result<(), String> {
        progress(self.name, "sync, unchanged");
        // Somebody who has filed nothing: the first sync is one page.
        let token = self.login_as(server, "auditor").await?;
        let (page, etag) = Read::new("/v1/sync", &token, None).once_whole(server.address).await?;
        let page: Value = serde_json::from_slice(&page).map_err(|cause| cause.to_string())?;
        let cursor = page["cursor"].as_str().ok_or("a sync gave no cursor")?;
        let path = format!("/v1/sync?cursor={cursor}");
        for connections in [1, 32] {
            for (kind, read) in [
                ("sync, unchanged", Read::new(&path, &token, etag.as_deref())),
                ("sync, unchanged, asked without its ETag", Read::new(&path, &token, None)),
            ] {
                let measured =
                    load::run(self.target(server), self.load(connections), |_| read.clone()).await?;
                table.row(kind, &measured);
            }
        }
        Ok(())
    }

    /// The planner, before the register is filled: a district of 2 000.
    async fn planning(&mut self, server: &Nigran) -> Result<String, String> {
        progress(self.name, "planning a district");
        let head = self.login_as(server, "labour-head").await?;
        let inspector = self.login(server).await?;
        planner::furnish(server.address, &head, &inspector).await?;
        let mut table = Table::new(&format!("{}: planning {} facilities", self.name, planner::COUNT));
        let read = Read::new(planner::PLAN, &head, None);
        let measured = load::run(self.target(server), self.load(1), |_| read.clone()).await?;
        table.row("a plan of 40 visits", &measured);
        Ok(table.finish())
    }

    /// The register of facilities: filling it, and searching it as the province's head and as a district's inspector.
    async fn register(&mut self, server: &Nigran) -> Result<String, String> {
        progress(self.name, "importing the register");
        let head = self.login_as(server, "labour-head").await?;
        let took = register::import(server.address, &head).await?;
        self.figure(&format!("importing {} facilities, ms", register::COUNT), report::millis(took, 0));
        let resident = process::usage(server.pid()).resident;
        self.figure("resident memory after the import, MiB", report::mebibytes(resident));
        let mut table = Table::new(&format!("{}: searching {} facilities", self.name, register::COUNT));
        let inspector = self.login(server).await?;
        for (what, path) in register::SEARCHES {
            progress(self.name, what);
            for (who, token) in [("head", &head), ("inspector", &inspector)] {
                let read = Read::new(path, token, None);
                let measured = load::run(self.target(server), self.load(1), |_| read.clone()).await?;
                table.row(&format!("{what}, {who}"), &measured);
            }
        }
        Ok(table.finish())
    }

    /// What keeping findings as cases adds to a filing.
    async fn reconciling(&mut self) -> Result<(), String> {
        progress(self.name, "keeping findings");
        let cluster = self.cluster;
        let url = || cluster.map(|cluster| cluster.url(&cluster.create(None)));
        for (what, value) in reconcile::measure(&url).await? {
            self.figure(&what, value);
        }
        Ok(())
    }

    fn load(&self, connections: usize) -> Load {
        Load { connections, warm_up: self.options.warm_up, measured: self.options.measured }
    }

    fn target(&self, server: &Nigran) -> Target {
        Target { address: server.address, server: server.pid(), database: self.cluster.map(Cluster::pid) }
    }

    /// Bytes the database holds: the files beside the photos, or what PostgreSQL says.
    fn stored(&self) -> u64 {
        match (&self.launch.database_url, self.cluster) {
            (Some(url), Some(_)) => crate::postgres::size(url),
            _ => sqlite_size(&self.launch.data_dir),
        }
    }

    async fn login(&self, server: &Nigran) -> Result<String, String> {
        self.login_as(server, "inspector").await
    }

    async fn login_as(&self, server: &Nigran, username: &str) -> Result<String, String> {
        login(server.address, username).await
    }
}

/// The access token of somebody with this name.
pub(super) async fn login(address: SocketAddr, username: &str) -> Result<String, String> {
    let body = json!({ "username": username, "password": PASSWORD }).to_string();
    let head = put("/v1/auth/login", "none", "application/json", body.len()).replacen("PUT", "POST", 1);
    let head = head.replace("Authorization: Bearer none\r\n", "");
    let mut connection = Connection::open(address).await.map_err(|cause| cause.to_string())?;
    expect(&mut connection, &[head.as_bytes(), body.as_bytes()], &[200]).await?;
    let tokens: Value = serde_json::from_slice(connection.body()).map_err(|cause| cause.to_string())?;
    tokens["access_token"]
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| "the login gave no access_token".to_owned())
}

fn photo_name(sample: &Submission) -> String {
    let photo = sample.answer("exterior_photo.media").and_then(Value::as_str);
    photo.unwrap_or("front.jpg").to_owned()
}

pub(super) fn sqlite_size(data_dir: &Path) -> u64 {
    let files = std::fs::read_dir(data_dir).into_iter().flatten().flatten();
    let database = files.filter(|file| file.file_name().to_string_lossy().starts_with("nigran.sqlite"));
    database.map(|file| folders::size(&file.path())).sum()
}

#[expect(
    clippy::print_stderr,
    reason = "a benchmark takes minutes; who waits wants to see what is being done"
)]
pub(super) fn progress(name: &str, what: &str) {
    eprintln!("{name}: {what} …");
}
