//! The application: every room and service put together, started, and stopped.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::{self, Data};
use actix_web::{App as Actix, HttpServer};
use tokio::task::JoinHandle;
use utoipa_actix_web::AppExt as _;

use crate::accounts::Accounts;
use crate::assignments::Assignments;
use crate::clock::{Clock, Ids};
use crate::config::Config;
use crate::data_folder;
use crate::db::{By, Db, Hold};
use crate::desk::{self, Desk};
use crate::error::{Error, Result};
use crate::facilities::Facilities;
use crate::feed::Feed;
use crate::findings::Findings;
use crate::forms::{self, Forms};
use crate::http::draining::Draining;
use crate::http::health::{Check, Checks};
use crate::http::patience::{self, Patience};
use crate::http::{api, listening, tls, unpacking, watch};
use crate::jobs::Jobs;
use crate::media::{self, Media};
use crate::notifications::Notifications;
use crate::places::{self, ImportOptions, Places};
use crate::replay::Replays;
use crate::rollouts::Rollouts;
use crate::submissions::{Likenesses, Settling, Submissions, Watchers};
use crate::sync::Sync;
use crate::telemetry;
use crate::uploads::Uploads;

/// How long an idle connection is kept: longer than balancers keep theirs, so that none is closed under a request.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// How long the head of a request may take to arrive: a torn network is slow, and no attacker.
const REQUEST_HEAD: Duration = Duration::from_secs(30);

/// Every service; clones share them.
#[derive(Clone)]
pub struct App {
    /// The hold on the database that keeps a second server off a SQLite file.
    pub hold: Arc<Hold>,
    /// The database.
    pub db: Db,
    /// What changed, and for whom.
    pub feed: Feed,
    /// People and keys.
    pub accounts: Accounts,
    /// Questionnaires.
    pub forms: Forms,
    /// Boundaries.
    pub places: Places,
    /// Photos.
    pub media: Media,
    /// The register of facilities.
    pub facilities: Facilities,
    /// Submissions.
    pub submissions: Submissions,
    /// Findings.
    pub findings: Findings,
    /// Visits somebody is to make.
    pub assignments: Assignments,
    /// Proposed releases tried on past submissions.
    pub replays: Replays,
    /// How releases do.
    pub rollouts: Rollouts,
    /// What phones are brought up to date with.
    pub sync: Sync,
    /// Resumable uploads.
    pub uploads: Uploads,
    /// Telling people and programs.
    pub notifications: Notifications,
    /// The Committee's desk.
    pub desk: Desk,
}

impl App {
    /// Opens everything, migrating the database and publishing the built-in questionnaires first.
    pub async fn open(config: &Config, clock: Clock, ids: Ids) -> Result<App> {
        telemetry::metrics();
        let (hold, migrated) = data_folder::open_to_serve(config)?;
        for migration in migrated {
            tracing::info!(%migration, "migrated the database: {migration}");
        }
        let db = Db::connect(&config.database(), clock.clone(), ids)?;
        let feed = Feed::open(db.clone()).await?;
        let forms = Forms::new(db.clone());
        publish_builtin(&db).await?;
        let places = Places::default();
        import_boundaries(&db, config).await?;
        let loading = places.clone();
        db.read(move |conn| loading.refresh(conn)).await?;
        let accounts = Accounts::open(db.clone(), clock.clone(), &config.keys_folder())?;
        accounts.agree_on_keys().await?;
        let knows_files = db.read(media::knows_files).await?;
        let media = Media::start_knowing(config.media.clone(), &config.data_dir, knows_files).await?;
        let assignments = Assignments::open(db.clone(), clock.clone())?;
        let facilities =
            Facilities::new(db.clone(), places.clone(), clock.clone(), config.data_dir.join("imports"))
                .followed_by(vec![Arc::new(assignments.clone())]);
        facilities.forget_imports();
        let findings = Findings::open(db.clone(), clock.clone(), forms.clone())?
            .followed_by(vec![Arc::new(assignments.clone())]);
        // The rooms above that must hear of filings and decisions.
        let watchers = Watchers::new(vec![Arc::new(findings.clone()), Arc::new(assignments.clone())]);
        let intake = db.lane(Settling::new(accounts.tokens().clone(), watchers.clone()))?;
        let submissions = Submissions {
            db: db.clone(),
            accounts: accounts.clone(),
            forms: forms.clone(),
            places: places.clone(),
            media: media.clone(),
            clock: clock.clone(),
            flags: config.flags.clone(),
            limits: config.limits.clone(),
            watchers,
            intake,
            likenesses: Likenesses::default(),
        };
        let replays = Replays::new(
            db.clone(),
            forms.clone(),
            places.clone(),
            submissions.watchers.clone(),
            accounts.tokens(),
        );
        let rollouts = Rollouts::new(db.clone(), config.rollout.clone());
        let sync = Sync::new(db.clone(), feed.clone(), forms.clone(), &accounts, clock.clone());
        let notifications = Notifications::open(db.clone(), &accounts, config)?;
        let uploads = Uploads::new(db.clone(), media.clone(), clock.clone(), &config.media);
        let desk = Desk::open(
            db.clone(),
            accounts.clone(),
            forms.clone(),
            clock,
            replays.clone(),
            &config.committee,
        )?;
        Ok(App {
            hold: Arc::new(hold),
            db,
            feed,
            accounts,
            forms,
            places,
            media,
            facilities,
            submissions,
            findings,
            assignments,
            replays,
            rollouts,
            sync,
            uploads,
            notifications,
            desk,
        })
    }
}

async fn publish_builtin(db: &Db) -> Result<()> {
    for package in forms::builtin_packages()? {
        let (form, version) = (package.form.clone(), package.version);
        let settled = db.write(By::system(), move |tx| desk::settle_builtin(tx, &package)).await?;
        if settled == forms::Published::New {
            tracing::info!(form, version, "published {form} {version}");
        }
    }
    Ok(())
}

/// Imports the boundary files of the settings whose sets are not there yet.
async fn import_boundaries(db: &Db, config: &Config) -> Result<()> {
    for path in &config.boundaries {
        let (db, file) = (db.clone(), path.clone());
        let imported =
            tokio::task::spawn_blocking(move || places::import_file(&db, &file, &ImportOptions::default()))
                .await
                .map_err(|cause| Error::internal("importing boundaries", cause))??;
        let set = &imported.set.set_id;
        tracing::info!(set, warnings = imported.warnings.len(), "boundaries {set} are there");
    }
    Ok(())
}

/// A running server.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its services.
    pub app: App,
    handle: ServerHandle,
    serving: JoinHandle<std::io::Result<()>>,
    jobs: Jobs,
    draining: Draining,
    drain: Duration,
}

/// Opens the application and serves it.
pub async fn start(config: Config, clock: Clock, ids: Ids) -> Result<Running> {
    let app = App::open(&config, clock, ids).await?;
    serve(&config, app)
}

/// Serves an application that is open.
pub fn serve(config: &Config, app: App) -> Result<Running> {
    let draining = Draining::default();
    let (server, addresses) = listen(config, &app, &draining)?;
    let address = *addresses.first().ok_or_else(|| Error::internal("listening", "there is no address"))?;
    let jobs = Jobs::start(&app, config.jobs.at_once);
    let drain = Duration::from_secs(config.limits.drain_seconds);
    let (handle, serving) = (server.handle(), tokio::spawn(server));
    Ok(Running { address, app, handle, serving, jobs, draining, drain })
}

fn listen(
    config: &Config,
    app: &App,
    draining: &Draining,
) -> Result<(actix_web::dev::Server, Vec<SocketAddr>)> {
    let shared = app.clone();
    let checks = Data::new(checks(app, draining));
    let draining = Data::new(draining.clone());
    let patience = Data::new(Patience(Duration::from_secs(config.limits.silence_seconds)));
    let server = HttpServer::new(move || {
        let App {
            db,
            accounts,
            forms,
            places,
            facilities,
            submissions,
            findings,
            assignments,
            replays,
            rollouts,
            sync,
            uploads,
            notifications,
            desk,
            ..
        } = shared.clone();
        Actix::new()
            .into_utoipa_app()
            .configure(api::routes)
            .split_for_parts()
            .0
            .configure(api::readers)
            .app_data(Data::new(db))
            .app_data(Data::new(accounts))
            .app_data(Data::new(forms))
            .app_data(Data::new(places))
            .app_data(Data::new(facilities))
            .app_data(Data::new(submissions))
            .app_data(Data::new(findings))
            .app_data(Data::new(assignments))
            .app_data(Data::new(replays))
            .app_data(Data::new(rollouts))
            .app_data(Data::new(sync))
            .app_data(Data::new(uploads))
            .app_data(Data::new(notifications))
            .app_data(Data::new(desk))
            .app_data(checks.clone())
            .app_data(draining.clone())
            .app_data(patience.clone())
            .default_service(web::to(api::unmatched))
            .wrap(from_fn(unpacking::unpack))
            .wrap(from_fn(patience::be_patient))
            .wrap(Compress::default())
            .wrap(from_fn(watch::watch))
    });
    let server = match config.workers {
        0 => server,
        workers => server.workers(workers),
    };
    let server = server
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(REQUEST_HEAD)
        // Whoever waits for the server listens for signals; a test that starts one in its own process does not.
        .disable_signals()
        .shutdown_timeout(20);
    let tls = tls::settings(&config.tls)?;
    let bound = listening::listen(&config.listen).and_then(|listeners| {
        listeners.into_iter().try_fold(server, |server, listener| match &tls {
            Some(settings) => server.listen_rustls_0_23(listener, settings.clone()),
            None => server.listen(listener),
        })
    });
    let server = bound.map_err(|cause| {
        Error::invalid("cannot_listen", format!("cannot listen on {}: {cause}", config.listen))
    })?;
    let addresses = server.addrs();
    Ok((server.run(), addresses))
}

fn checks(app: &App, draining: &Draining) -> Checks {
    let (db, media) = (app.db.clone(), app.media.clone());
    let said = |error: Error| error.detail;
    let database = Check::needed(
        "database",
        Arc::new(move || {
            let db = db.clone();
            Box::pin(async move { db.healthy().await.map_err(said) })
        }),
    );
    // Answers come before photos: without the store they are still taken.
    let media = Check::wanted(
        "media",
        Arc::new(move || {
            let media = media.clone();
            Box::pin(async move { media.healthy().await.map_err(said) })
        }),
    );
    Checks::new(vec![database, media], draining.clone())
}

impl Running {
    /// Waits until the process is told to stop (SIGTERM, SIGINT), and stops in order.
    pub async fn wait(self) -> Result<()> {
        told_to_stop().await?;
        self.draining.begin();
        tracing::info!(seconds = self.drain.as_secs(), "telling clients to go elsewhere");
        // Whoever is in a hurry tells it twice.
        tokio::select! {
            () = tokio::time::sleep(self.drain) => {}
            told = told_to_stop() => told?,
        }
        tracing::info!("finishing what was accepted");
        self.stop().await
    }

    /// Stops: finishes what was accepted, seals the log, closes the database.
    pub async fn stop(self) -> Result<()> {
        self.handle.stop(true).await;
        let served = self.serving.await;
        finish(self.app, self.jobs).await?;
        match served {
            Ok(Ok(())) => Ok(()),
            Ok(Err(cause)) => Err(Error::internal("serving", cause)),
            Err(cause) => Err(Error::internal("serving", cause)),
        }
    }
}

async fn told_to_stop() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).map_err(|cause| Error::internal("listening for signals", cause));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

async fn finish(app: App, jobs: Jobs) -> Result<()> {
    jobs.stop().await;
    crate::jobs::seal(&app).await?;
    app.media.stop().await;
    let hold = app.hold.clone();
    let closed = tokio::task::spawn_blocking(move || app.db.close()).await;
    hold.release();
    closed.map_err(|cause| Error::internal("closing the database", cause))
}
