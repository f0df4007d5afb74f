//! What runs beside the requests: sealing the audit log, and noticing what another process changed.

use std::time::Duration;

use tokio::task::JoinHandle;

use crate::accounts;
use crate::app::App;
use crate::audit::{self, SEAL_EVERY};
use crate::db::By;
use crate::error::Result;
use crate::feed;

/// How often the process looks for boundary sets and releases that another one imported or published.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How often sessions that have run out are closed, and old changes forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);

/// The running jobs; dropping them stops them.
pub(crate) struct Jobs(Vec<JoinHandle<()>>);

impl Jobs {
    /// Starts all jobs.
    pub(crate) fn start(app: &App) -> Jobs {
        Jobs(vec![
            once("tagging by boundaries imported meanwhile", app, |app| async move { retag(&app).await }),
            every(SEAL_EVERY, "sealing the audit log", app, |app| async move { seal(&app).await }),
            every(LOOK_EVERY, "looking for changes", app, |app| async move { look(&app).await }),
            every(SWEEP_EVERY, "sweeping what has run out", app, |app| async move { sweep(&app).await }),
        ])
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

fn once<F, R>(what: &'static str, app: &App, job: F) -> JoinHandle<()>
where
    F: FnOnce(App) -> R,
    R: Future<Output = Result<()>> + Send + 'static,
{
    let doing = job(app.clone());
    tokio::spawn(async move {
        if let Err(error) = doing.await {
            tracing::error!(%error, "failed while {what}; it is tried again at the next start");
        }
    })
}

fn every<F, R>(step: Duration, what: &'static str, app: &App, job: F) -> JoinHandle<()>
where
    F: Fn(App) -> R + Send + 'static,
    R: Future<Output = Result<()>> + Send,
{
    let app = app.clone();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(step);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = job(app.clone()).await {
                tracing::error!(%error, "failed while {what}; trying again");
            }
        }
    })
}

/// Seals everything that waits.
pub(crate) async fn seal(app: &App) -> Result<()> {
    while app.db.read(audit::has_pending).await? {
        app.db.write(By::system(), audit::seal_pending).await?;
    }
    Ok(())
}

async fn sweep(app: &App) -> Result<()> {
    app.db.write(By::system(), accounts::sweep).await?;
    app.db.write(By::system(), feed::sweep).await.map(drop)
}

/// Takes in what changed in the database: releases, and boundary sets, by which submissions are then tagged again.
async fn look(app: &App) -> Result<()> {
    app.forms.refresh();
    let places = app.places.clone();
    match app.db.read(move |conn| places.refresh(conn)).await? {
        true => retag(app).await,
        false => Ok(()),
    }
}

/// Tags again what the boundaries now loaded have not tagged.
async fn retag(app: &App) -> Result<()> {
    app.facilities.relocate().await?;
    let count = app.submissions.retag().await?;
    if count > 0 {
        tracing::info!(count, "tagged {count} submissions by the new boundaries");
    }
    Ok(())
}
