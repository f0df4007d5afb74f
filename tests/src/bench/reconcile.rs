//! What keeping findings as cases costs a filing: the same visits filed with a server in this process of which nobody
//! watches filings, and with one whose findings room does. Medians of one after the other, on one connection.

use std::sync::Arc;
use std::time::{Duration, Instant};

use server::app::{self, App};
use server::clock::{Clock, Ids};
use server::config::Config;
use server::submissions::Watchers;
use uuid::Uuid;

use super::connection::Connection;
use super::work::{expect, put};
use crate::client::Person;
use crate::folders::TemporaryFolder;
use crate::process::PASSWORD;
use crate::samples::{self, Submission};

/// Filings of each kind.
const FILINGS: usize = 400;

/// Who watches filings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Watched {
    ByNobody,
    ByFindings,
}

/// A kind of visit, and whether they go to one place or to a place each.
type Kind = (&'static str, fn() -> Submission, bool);

const KINDS: &[Kind] = &[
    ("clean shop", samples::b1, false),
    ("workshop, 15 findings, another place each time", samples::b3, false),
    ("workshop, 15 findings, the same place", samples::b3, true),
];

/// The figures, by name. `url`: the database; none: SQLite in a folder of its own.
pub(super) async fn measure(url: &dyn Fn() -> Option<String>) -> Result<Vec<(String, String)>, String> {
    let without = filing(Watched::ByNobody, url()).await?;
    let with = filing(Watched::ByFindings, url()).await?;
    Ok(KINDS
        .iter()
        .zip(without.iter().zip(&with))
        .map(|((name, ..), (without, with))| {
            let ms = |time: &Duration| time.as_secs_f64() * 1000.0;
            let added = ms(with) - ms(without);
            let figure = format!("{added:.3} ms ({:.3} with, {:.3} without)", ms(with), ms(without));
            (format!("keeping findings adds to a filing, {name}"), figure)
        })
        .collect())
}

/// The median of each kind.
async fn filing(watched: Watched, url: Option<String>) -> Result<Vec<Duration>, String> {
    let folder = TemporaryFolder::new();
    let mut config = Config {
        listen: "127.0.0.1:0".to_owned(),
        data_dir: folder.path().to_owned(),
        workers: 1,
        ..Config::default()
    };
    config.database.url = url;
    config.jobs.at_once = 0;
    let told = |cause: server::error::Error| cause.to_string();
    let mut app = App::open(&config, Clock::System, Ids::Random).await.map_err(told)?;
    let db = app.db.clone();
    tokio::task::spawn_blocking(move || server::accounts::bootstrap::demo_accounts(&db, PASSWORD))
        .await
        .map_err(|cause| cause.to_string())?
        .map_err(told)?;
    app.submissions.watchers = match watched {
        Watched::ByNobody => Watchers::default(),
        Watched::ByFindings => Watchers::new(vec![Arc::new(app.findings.clone())]),
    };
    let running = app::serve(&config, app).map_err(told)?;
    let token = Person::at(format!("http://{}", running.address)).login("inspector", PASSWORD).await.token;
    let token = token.ok_or("the login gave no token")?;
    let mut connection = Connection::open(running.address).await.map_err(|cause| cause.to_string())?;
    let mut medians = Vec::new();
    for (_, sample, one_place) in KINDS {
        let place = Uuid::new_v4();
        let mut times = Vec::new();
        for _ in 0..FILINGS {
            let place = if *one_place { place } else { Uuid::new_v4() };
            let visit = sample().at("facility", place.to_string());
            times.push(once(&mut connection, &token, &visit).await?);
        }
        times.sort_unstable();
        medians.push(times[times.len() / 2]);
    }
    drop(connection);
    running.stop().await.map_err(told)?;
    Ok(medians)
}

async fn once(connection: &mut Connection, token: &str, visit: &Submission) -> Result<Duration, String> {
    let body = visit.bytes();
    let head = put(&format!("/v1/submissions/{}", visit.id), token, "application/json", body.len());
    let started = Instant::now();
    expect(connection, &[head.as_bytes(), &body], &[201]).await?;
    Ok(started.elapsed())
}
