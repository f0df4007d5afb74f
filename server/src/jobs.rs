//! What runs beside the requests. The kinds of jobs the queue knows stand here, each with its handler; so do the few
//! things that are timers and no jobs, since every process does them for itself: sealing the audit log, and noticing
//! what another process changed.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::accounts;
use crate::app::App;
use crate::audit::{self, SEAL_EVERY};
use crate::db::{Backend, By, Tx};
use crate::desk;
use crate::error::Result;
use crate::feed;
use crate::findings;
use crate::forms;
use crate::media;
use crate::notifications;
use crate::queue::{self, Done, Job, Kind, Task};
use crate::replay;
use crate::rollouts;
use crate::submissions;
use crate::telemetry;

/// How often the process looks for boundary sets and releases that another one imported or published.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How often what histograms gathered is put together, lest it pile up where nobody reads the metrics.
const TIDY_EVERY: Duration = Duration::from_secs(10);

/// How often sessions that have run out are closed, and old changes forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);

/// How often uploads are looked through.
const SWEEP_UPLOADS_EVERY: Duration = Duration::from_secs(600);

/// How long an ordinary attempt may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// Attempts of work that recurs: it is never parked.
const ALWAYS: i32 = i32::MAX;

/// Closes sessions that have run out.
const SWEEP_SESSIONS: &str = "sessions.sweep";

/// Forgets old changes.
const SWEEP_FEED: &str = "feed.sweep";

/// Ends uploads nobody continues, and removes what they hold.
const SWEEP_UPLOADS: &str = "uploads.sweep";

/// Every kind of job and its handler.
const KINDS: &[Kind<App>] = &[
    Kind {
        name: media::UNDERSTAND,
        attempts: 8,
        patience: PATIENCE,
        run: |app, task| Box::pin(async move { app.submissions.understand_photo(task).await }),
    },
    Kind {
        name: submissions::COMPARE_PHOTOS,
        attempts: 8,
        patience: PATIENCE,
        run: |app, task| Box::pin(async move { app.submissions.compare_photos(task).await }),
    },
    Kind {
        name: forms::EFFECTIVE,
        attempts: ALWAYS,
        patience: PATIENCE,
        run: |app, task| Box::pin(async move { app.forms.came_into_force(task).await }),
    },
    Kind {
        name: replay::RUN,
        attempts: replay::ATTEMPTS,
        patience: PATIENCE,
        run: |app, task| Box::pin(async move { app.replays.run(task).await }),
    },
    Kind {
        name: rollouts::WATCH,
        attempts: ALWAYS,
        patience: PATIENCE,
        run: |app, task| Box::pin(async move { app.rollouts.look(task).await }),
    },
    Kind {
        name: SWEEP_SESSIONS,
        attempts: ALWAYS,
        patience: PATIENCE,
        run: |app, task| Box::pin(sweep(app, task, |tx| accounts::sweep(tx).map(drop))),
    },
    Kind {
        name: SWEEP_FEED,
        attempts: ALWAYS,
        patience: PATIENCE,
        run: |app, task| Box::pin(sweep(app, task, |tx| feed::sweep(tx).map(drop))),
    },
    Kind {
        name: SWEEP_UPLOADS,
        attempts: ALWAYS,
        patience: PATIENCE,
        run: |app, task| Box::pin(sweep_uploads(app, task)),
    },
    Kind {
        name: findings::DEADLINES,
        attempts: ALWAYS,
        patience: PATIENCE,
        run: |app, task| Box::pin(async move { app.findings.sound_alarms(task).await }),
    },
    Kind {
        name: notifications::NOTIFY,
        attempts: 5,
        patience: PATIENCE,
        run: |app, task| Box::pin(async move { app.notifications.spread(task).await }),
    },
    Kind {
        name: notifications::SWEEP,
        attempts: ALWAYS,
        patience: PATIENCE,
        run: |app, task| Box::pin(async move { app.notifications.sweep(task).await }),
    },
    Kind {
        name: desk::CLOSE,
        attempts: ALWAYS,
        patience: PATIENCE,
        run: |app, task| Box::pin(async move { app.desk.close_vote(task).await }),
    },
];

/// What waits for others to answer. These have places of their own, so that a mail server or a program that hangs holds
/// up no work of ours.
const OUTGOING: &[Kind<App>] = &[
    Kind {
        name: notifications::MAIL,
        attempts: ALWAYS,
        patience: PATIENCE,
        run: |app, task| Box::pin(async move { app.notifications.write_letter(task).await }),
    },
    Kind {
        name: notifications::CONFIRM,
        attempts: ALWAYS,
        patience: PATIENCE,
        run: |app, task| Box::pin(async move { app.notifications.ask_address(task).await }),
    },
    Kind {
        name: notifications::WEBHOOK,
        attempts: ALWAYS,
        patience: PATIENCE,
        run: |app, task| Box::pin(async move { app.notifications.call_webhook(task).await }),
    },
];

/// How many of these are under way at the same time: they wait more than they work.
const OUTGOING_AT_ONCE: usize = 16;

/// How often the outbox is measured.
const MEASURE_EVERY: Duration = Duration::from_secs(15);

/// Work that recurs; it is left behind at the first start and leaves itself behind from then on.
const RECURRING: &[&str] =
    &[SWEEP_SESSIONS, SWEEP_FEED, SWEEP_UPLOADS, notifications::SWEEP, rollouts::WATCH];

/// Runs every job that is due, one after the other, until none is; returns how many were run.
pub async fn run_due(app: &App) -> Result<usize> {
    let mut ran = 0;
    loop {
        let more =
            queue::run_due(&app.db, app, KINDS).await? + queue::run_due(&app.db, app, OUTGOING).await?;
        match more {
            0 => return Ok(ran),
            more => ran += more,
        }
    }
}

/// The same for a simulated province: nobody is told anything. Notices stay in the queue, where they can be counted.
pub async fn run_due_silently(app: &App) -> Result<usize> {
    queue::run_due_but(&app.db, app, KINDS, &[findings::NOTIFY]).await
}

/// What runs; dropping it stops it at once.
pub(crate) struct Jobs {
    timers: Vec<JoinHandle<()>>,
    queue: Option<JoinHandle<()>>,
    stop: CancellationToken,
}

impl Jobs {
    /// Starts the timers, and running jobs: up to `at_once` at the same time.
    pub(crate) fn start(app: &App, at_once: usize) -> Jobs {
        let stop = CancellationToken::new();
        let timers = vec![
            once("tagging by boundaries imported meanwhile", app, |app| async move { retag(&app).await }),
            once("setting up recurring work", app, |app| async move { recur(&app).await }),
            every(SEAL_EVERY, "sealing the audit log", app, |app| async move { seal(&app).await }),
            every(LOOK_EVERY, "looking for changes", app, |app| async move { look(&app).await }),
            every(MEASURE_EVERY, "measuring the outbox", app, |app| async move {
                app.notifications.measure().await
            }),
            every(TIDY_EVERY, "tidying the metrics", app, |_| async {
                telemetry::tidy();
                Ok(())
            }),
        ];
        let queue = (at_once > 0).then(|| tokio::spawn(work(app.clone(), at_once, stop.clone())));
        Jobs { timers, queue, stop }
    }

    /// Stops taking jobs and waits a while for those under way.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        if let Some(queue) = self.queue.take() {
            let _ = queue.await;
        }
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.stop.cancel();
        self.timers.iter().chain(&self.queue).for_each(JoinHandle::abort);
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

/// Runs jobs. On SQLite no other process does, so what stands as running was left so by one that was killed, and need
/// not wait for its lease to end.
async fn work(app: App, at_once: usize, stop: CancellationToken) {
    if app.db.backend() == Backend::Sqlite
        && let Err(error) = app.db.write(By::system(), queue::take_back).await
    {
        tracing::warn!(%error, "jobs left by a process before this one wait for their leases to end");
    }
    let outgoing = queue::work(app.db.clone(), app.clone(), OUTGOING, OUTGOING_AT_ONCE, stop.clone());
    tokio::join!(queue::work(app.db.clone(), app.clone(), KINDS, at_once, stop), outgoing);
}

/// Leaves recurring work behind where it does not wait already.
async fn recur(app: &App) -> Result<()> {
    app.db
        .write(By::system(), |tx| {
            RECURRING.iter().try_for_each(|kind| queue::enqueue(tx, Job::new(kind, "").once("")))
        })
        .await
}

/// Seals everything that waits. A place in the queue whose event somebody removed stays, for `nigran audit verify` to find.
pub(crate) async fn seal(app: &App) -> Result<()> {
    while app.db.read(audit::has_pending).await? {
        if app.db.write(By::system(), audit::seal_pending).await? == 0 {
            break;
        }
    }
    Ok(())
}

/// Clears away what has had its time, and is due again after a while.
async fn sweep(app: App, task: Task, clear: fn(&mut Tx) -> Result<()>) -> Result<Done> {
    app.db
        .write(By::system(), move |tx| {
            clear(tx)?;
            let next = tx.now() + SWEEP_EVERY;
            queue::again(tx, &task, next)
        })
        .await
}

/// Clears away uploads, which leaves the machine, and is due again after a while. Doing it twice does no harm.
async fn sweep_uploads(app: App, task: Task) -> Result<Done> {
    app.uploads.sweep().await?;
    app.db
        .write(By::system(), move |tx| {
            let next = tx.now() + SWEEP_UPLOADS_EVERY;
            queue::again(tx, &task, next)
        })
        .await
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
