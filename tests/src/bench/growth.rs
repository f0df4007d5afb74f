//! What a million submissions cost those who come after: lists, filing and starting, before and after; and what the machine
//! can do at best, filing while others read, and several processes.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use super::crowd::Crowd;
use super::envelope::Envelope;
use super::load::{self, Load, Target};
use super::report::{self, Table};
use super::run::{Options, login, progress, sqlite_size};
use super::work::{File, Read, Serials};
use super::{floor, meanwhile, million};
use crate::folders::{self, TemporaryFolder};
use crate::postgres::{self, Cluster};
use crate::process::{Launch, Nigran};
use crate::samples;

/// Filed for real before anything is measured.
const FIRST: u32 = 1000;

struct Growth<'o> {
    options: &'o Options,
    name: &'static str,
    cluster: Option<&'o Cluster>,
    launch: Launch,
    serials: Serials,
}

/// Measures it on one database.
pub(super) async fn measure(
    options: &Options,
    name: &'static str,
    cluster: Option<&Cluster>,
) -> Result<String, String> {
    let folder = TemporaryFolder::new();
    let mut launch = Launch::new(&options.binary, folder.path());
    launch.database_url = cluster.map(|cluster| cluster.url(&cluster.create(None)));
    let files = ["bal_adm1.geojson", "bal_adm2_2023_34.geojson", "bal_adm3_tehsil_130.geojson"];
    launch.boundaries = files.iter().filter_map(|file| folders::shared(&format!("geo/{file}"))).collect();
    let growth = Growth { options, name, cluster, launch, serials: Serials::default() };
    growth.measure().await
}

impl Growth<'_> {
    async fn measure(self) -> Result<String, String> {
        let mut figures = Vec::new();
        let server = self.launch.serve()?;
        self.file_first(&server).await?;
        let mut lists =
            Table::new(&format!("{}: with {FIRST} and with {} submissions", self.name, self.options.million));
        self.lists(&server, &mut lists, &format!("{FIRST}")).await?;
        server.stop()?;
        figures.extend(floor::measure(&self.launch.data_dir, &self.url())?);

        progress(self.name, &format!("making {} submissions", self.options.million));
        let (began, before) = (Instant::now(), self.stored());
        million::make(&self.url(), self.options.million)?;
        let each = self.stored().saturating_sub(before) / u64::from(self.options.million);
        figures.push((
            format!("making {} submissions, s", self.options.million),
            format!("{:.0}", began.elapsed().as_secs_f64()),
        ));
        figures.push(("bytes on disk for each of them".to_owned(), each.to_string()));

        let server = self.launch.serve()?;
        figures
            .push(("start to ready with all of them, ms".to_owned(), report::millis(server.started_in, 0)));
        self.lists(&server, &mut lists, &format!("{}", self.options.million)).await?;
        let mut reading = Table::new(&format!(
            "{}: filing while {} submissions are listed and read",
            self.name,
            meanwhile::READ
        ));
        self.while_read(&server, &mut reading).await?;
        server.stop()?;
        let mut text = lists.finish() + &reading.finish();
        if self.cluster.is_some() {
            text += &self.processes().await?;
        }
        Ok(text + &report::figures(&format!("{}: growth", self.name), &figures))
    }

    fn url(&self) -> String {
        let file = || format!("sqlite:{}", self.launch.data_dir.join("nigran.sqlite").display());
        self.launch.database_url.clone().unwrap_or_else(file)
    }

    fn stored(&self) -> u64 {
        match &self.launch.database_url {
            Some(url) => postgres::size(url),
            None => sqlite_size(&self.launch.data_dir),
        }
    }

    async fn work(&self, server: &Nigran) -> Result<File, String> {
        let token = login(server.address, "inspector").await?;
        let envelope = Envelope::of(&samples::b1());
        Ok(File { token, envelope, photos: None, serials: self.serials.clone() })
    }

    async fn file_first(&self, server: &Nigran) -> Result<(), String> {
        progress(self.name, &format!("filing {FIRST}"));
        let work = self.work(server).await?;
        let load = Load { connections: 8, warm_up: self.options.warm_up, measured: self.options.warm_up };
        while self.serials.given() < FIRST {
            load::run(self.target(server), load, |_| work.clone()).await?;
        }
        Ok(())
    }

    /// Pages of those who see everything, a district, and what they filed themselves; then filing itself.
    async fn lists(&self, server: &Nigran, table: &mut Table, rows: &str) -> Result<(), String> {
        for (who, what, path) in [
            ("labour-head", "page of 50, the province", "/v1/submissions"),
            ("supervisor", "page of 50, a district", "/v1/submissions"),
            ("inspector", "page of 50, one's own", "/v1/submissions"),
            ("labour-head", "page of 50, invalid ones", "/v1/submissions?verdict=invalid"),
            ("labour-head", "page of 50, returned ones", "/v1/submissions?review=returned"),
            ("supervisor", "the review queue", "/v1/review-queue"),
        ] {
            progress(self.name, &format!("{what}, {rows} rows"));
            let read = Read::new(path, &login(server.address, who).await?, None);
            let load = Load { connections: 1, ..self.load() };
            let measured = load::run(self.target(server), load, |_| read.clone()).await?;
            table.row(&format!("{what}, {rows} rows"), &measured);
        }
        let work = self.work(server).await?;
        let measured = load::run(self.target(server), self.load(), |_| work.clone()).await?;
        table.row(&format!("filing, {rows} rows"), &measured);
        Ok(())
    }

    async fn while_read(&self, server: &Nigran, table: &mut Table) -> Result<(), String> {
        let load = Load { connections: 8, ..self.load() };
        let work = self.work(server).await?;
        let alone = load::run(self.target(server), load, |_| work.clone()).await?;
        table.row("filing alone", &alone);
        let stop = Rc::new(Cell::new(false));
        let head = login(server.address, "labour-head").await?;
        let reading = tokio::task::spawn_local(meanwhile::read_all(server.address, head, stop.clone()));
        let measured = load::run(self.target(server), load, |_| work.clone()).await?;
        stop.set(true);
        let read = reading.await.map_err(|cause| cause.to_string())??;
        table.row(&format!("filing while {read} were read"), &measured);
        Ok(())
    }

    async fn processes(&self) -> Result<String, String> {
        let mut table =
            Table::new(&format!("{}: processes behind a plain balancer, CPU of the first", self.name));
        for count in [1, 4] {
            progress(self.name, &format!("{count} processes"));
            let crowd = Crowd::start(&self.launch, count)?;
            let address = crowd.balanced().await?;
            let first = crowd.servers.first().ok_or("there is no process")?;
            let work = self.work(first).await?;
            let target = Target { address, ..self.target(first) };
            let measured = load::run(target, self.load(), |_| work.clone()).await?;
            table.row(&format!("filing, {count} processes"), &measured);
        }
        Ok(table.finish())
    }

    fn load(&self) -> Load {
        Load { connections: 32, warm_up: self.options.warm_up, measured: self.options.measured }
    }

    fn target(&self, server: &Nigran) -> Target {
        Target { address: server.address, server: server.pid(), database: self.cluster.map(Cluster::pid) }
    }
}
