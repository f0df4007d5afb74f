//! Running jobs: taking what is due, holding the lease while the handler works, and what becomes of a failure. An
//! attempt that fails waits longer each time; after its last one the job is parked, where people see it.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::model::{JobState, Task};
use super::store;
use crate::db::{At, By, Db, DbConn, Tx, storable};
use crate::error::{Error, Result};

/// How long a job is taken for. It is prolonged while the handler works, so this is how long a job waits after the
/// process that ran it was killed.
const LEASE: Duration = Duration::from_secs(30);
/// How often the lease is prolonged.
const BEAT: Duration = Duration::from_secs(10);
/// How often a process looks for what became due, or was left behind by another process.
const POLL: Duration = Duration::from_secs(2);
/// How long jobs under way may take when the process stops; later ones are taken over.
const GRACE: Duration = Duration::from_secs(10);
/// What a failed attempt waits at first; it doubles each time.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// What it waits at most.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// How often the queue is counted.
const MEASURE: Duration = Duration::from_secs(1);
/// How much of a failure is written down.
const TOLD: usize = 300;

/// A kind of job and how it is run. `A` is what handlers are given beside the task.
pub struct Kind<A> {
    /// Its name, the same as `Job::new` names: `photo.understand`.
    pub name: &'static str,
    /// After so many failed attempts it is parked.
    pub attempts: i32,
    /// How long one attempt may take.
    pub patience: Duration,
    /// The handler. It must end the task (`finish`, `again`) in the transaction that holds its effect.
    pub run: fn(A, Task) -> BoxFuture<'static, Result<Done>>,
}

/// Says that a task was ended. Only `finish` and `again` can say so.
#[derive(Debug)]
pub struct Done(());

/// Ends the task as part of the unit of work that holds its effect. An error means that another process has the job
/// now: the unit must not stand.
pub fn finish(tx: &mut Tx, task: &Task) -> Result<Done> {
    if store::remove(tx.conn, &task.id, &task.claim)? {
        return Ok(Done(()));
    }
    let now = tx.now();
    again(tx, task, now)
}

/// Ends this run of the task and has it run anew at `at`, or at once if it was asked for again meanwhile: for work that
/// recurs.
pub fn again(tx: &mut Tx, task: &Task, at: DateTime<Utc>) -> Result<Done> {
    match store::renew(tx.conn, &task.id, &task.claim, At::from(at), At::from(tx.now()))? {
        true => {
            tx.ring();
            Ok(Done(()))
        }
        false => Err(lost(task)),
    }
}

fn lost(task: &Task) -> Error {
    Error::conflict("job_lost", format!("another process has taken over job {}", task.id))
}

/// Runs everything that is due, one job after the other, until nothing is; returns how many were run.
pub async fn run_due<A: Clone>(db: &Db, app: &A, kinds: &'static [Kind<A>]) -> Result<usize> {
    run_due_but(db, app, kinds, &[]).await
}

/// The same, but for jobs of the kinds `held`: they stay where they are.
pub async fn run_due_but<A: Clone>(
    db: &Db,
    app: &A,
    kinds: &'static [Kind<A>],
    held: &[&str],
) -> Result<usize> {
    let names: Vec<&'static str> = names(kinds).filter(|name| !held.contains(name)).collect();
    let mut ran = 0;
    loop {
        let taken = take(db, &names, 1).await?;
        if taken.is_empty() {
            return Ok(ran);
        }
        ran += taken.len();
        for task in taken {
            if let Some(kind) = kinds.iter().find(|kind| kind.name == task.kind) {
                run(db, app.clone(), kind, task).await;
            }
        }
    }
}

/// What runs in this process, by kind. However many jobs of one kind wait, one place is left for the others: ten thousand
/// notices do not keep a single other job waiting. A place is held by the task itself and free when that is over, however
/// it ended: the program failing in the midst of it costs no place.
struct Places {
    at_once: usize,
    running: JoinSet<()>,
    taken: HashMap<Id, &'static str>,
}

impl Places {
    fn of(at_once: usize) -> Places {
        Places { at_once, running: JoinSet::new(), taken: HashMap::new() }
    }

    fn free(&self) -> usize {
        self.at_once.saturating_sub(self.taken.len())
    }

    /// How many more of this kind may run.
    fn left_for(&self, kind: &str) -> usize {
        let share = self.at_once.saturating_sub(1).max(1);
        let taken = self.taken.values().filter(|taken| **taken == kind).count();
        share.saturating_sub(taken).min(self.free())
    }

    fn give<F: Future<Output = ()> + Send + 'static>(&mut self, kind: &'static str, task: F) {
        let id = self.running.spawn(task).id();
        self.taken.insert(id, kind);
    }

    /// Waits until one is over; for ever while none runs.
    async fn one_is_over(&mut self) {
        match self.running.join_next_with_id().await {
            Some(ended) => self.free_that_of(ended),
            None => std::future::pending().await,
        }
    }

    /// Frees the places of all that are over.
    fn clear(&mut self) {
        while let Some(ended) = self.running.try_join_next_with_id() {
            self.free_that_of(ended);
        }
    }

    fn free_that_of(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => {
                tracing::error!(%error, "a job's task failed outside its handler; its lease runs out, and it is taken again");
                error.id()
            }
        };
        self.taken.remove(&id);
    }
}

/// Runs jobs, up to `at_once` at the same time, until it is told to stop; then waits a while for those under way.
pub async fn work<A>(db: Db, app: A, kinds: &'static [Kind<A>], at_once: usize, stop: CancellationToken)
where
    A: Clone + Send + 'static,
{
    let mut places = Places::of(at_once);
    let mut bell = db.bell();
    let mut measured: Option<Instant> = None;
    while !stop.is_cancelled() {
        let open: Vec<_> = kinds.iter().filter(|kind| places.left_for(kind.name) > 0).collect();
        // All that is taken may be of one kind.
        let limit = open.iter().map(|kind| places.left_for(kind.name)).min().unwrap_or_default();
        match take(&db, &open.iter().map(|kind| kind.name).collect::<Vec<_>>(), limit).await {
            Ok(taken) => {
                for task in taken {
                    let Some(kind) = kinds.iter().find(|kind| kind.name == task.kind) else { continue };
                    let (db, app) = (db.clone(), app.clone());
                    places.give(kind.name, async move { run(&db, app, kind, task).await });
                }
            }
            Err(error) => tracing::error!(%error, "cannot look for jobs; trying again"),
        }
        if measured.is_none_or(|at| at.elapsed() >= MEASURE) {
            measured = Some(Instant::now());
            measure(&db).await;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            _ = bell.changed() => {}
            () = tokio::time::sleep(POLL) => {}
            () = places.one_is_over() => {}
        }
        places.clear();
    }
    let ended = async { while places.running.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, ended).await;
}

fn names<A>(kinds: &'static [Kind<A>]) -> impl Iterator<Item = &'static str> {
    kinds.iter().map(|kind| kind.name)
}

async fn take(db: &Db, names: &[&'static str], limit: usize) -> Result<Vec<Task>> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let names = names.to_vec();
    let set_back = db.clock_was_set_back();
    db.write(By::system(), move |tx| {
        if set_back {
            let (now, lease) = (tx.now(), tx.now() + 20 * LEASE);
            let attempt = tx.now() + 2 * LONGEST_WAIT;
            let mended = store::mend(tx.conn, At::from(now), At::from(lease), At::from(attempt))?;
            if mended > 0 {
                tracing::warn!(
                    mended,
                    "the clock was set back; {mended} jobs that waited for it are due now"
                );
            }
        }
        let claim = tx.new_id().to_string();
        let rows =
            store::take(tx.conn, &names, At::from(tx.now()), limit as i64, &claim, lease_from(tx.now()))?;
        rows.into_iter().map(Task::of).collect()
    })
    .await
}

fn lease_from(now: DateTime<Utc>) -> At {
    At::from(now + LEASE)
}

async fn run<A>(db: &Db, app: A, kind: &'static Kind<A>, task: Task) {
    let outcome = match attempt(db, app, kind, &task).await {
        Ok(Done(())) => "done",
        Err(error) if error.code == "job_lost" => {
            tracing::warn!(job.id = %task.id, job.kind = kind.name, "another process took over job {}", task.id);
            "lost"
        }
        Err(error) => note_failure(db, kind, &task, &error).await,
    };
    metrics::counter!("nigran_jobs_total", "kind" => kind.name, "outcome" => outcome).increment(1);
}

/// One attempt: the handler, under a lease that is prolonged, within its patience, and with its panics caught.
async fn attempt<A>(db: &Db, app: A, kind: &Kind<A>, task: &Task) -> Result<Done> {
    if task.attempt > kind.attempts {
        let why =
            "the process ended while it ran, each time; look at the server's log before it is tried again";
        return Err(Error::invalid("job_deadly", why));
    }
    // A handler may fail before it has begun, so it is called in here.
    let handler = async { (kind.run)(app, task.clone()).await };
    let mut doing = std::pin::pin!(AssertUnwindSafe(handler).catch_unwind());
    let mut patience = std::pin::pin!(tokio::time::sleep(kind.patience));
    loop {
        tokio::select! {
            done = &mut doing => {
                return done.unwrap_or_else(|_| Err(Error::invalid("job_panicked", "the program failed in the midst of it")));
            }
            () = &mut patience => {
                let why = format!("it took longer than {} s", kind.patience.as_secs());
                return Err(Error::unavailable("job_too_slow", why));
            }
            () = tokio::time::sleep(BEAT) => keep(db, task).await?,
        }
    }
}

async fn keep(db: &Db, task: &Task) -> Result<()> {
    let held = task.clone();
    let kept = db
        .write(By::system(), move |tx| store::keep(tx.conn, &held.id, &held.claim, lease_from(tx.now())))
        .await;
    match kept {
        Ok(true) => Ok(()),
        Ok(false) => Err(lost(task)),
        // The lease has time left, and the next beat tries again.
        Err(error) => {
            tracing::warn!(%error, "a lease was not prolonged");
            Ok(())
        }
    }
}

/// Writes down that the attempt failed, and says what became of the job.
async fn note_failure<A>(db: &Db, kind: &Kind<A>, task: &Task, error: &Error) -> &'static str {
    let is_last = task.attempt >= kind.attempts;
    let (state, outcome) = if is_last { (JobState::Parked, "parked") } else { (JobState::Waiting, "failed") };
    let cause = error.cause.as_ref().map(|cause| cause.to_string()).unwrap_or_default();
    match is_last {
        true => {
            tracing::error!(job.id = %task.id, job.kind = kind.name, %error, cause, "job {} is parked", task.id)
        }
        false => {
            tracing::warn!(job.id = %task.id, job.kind = kind.name, %error, cause, "job {} failed", task.id)
        }
    }
    let why: String = storable(error.to_string()).chars().take(TOLD).collect();
    let held = task.clone();
    let noted = db
        .write(By::system(), move |tx| {
            let at = At::from(tx.now() + wait_after(held.attempt, tx.new_id()));
            store::failed(tx.conn, &held.id, &held.claim, state, at, &why)
        })
        .await;
    match noted {
        Ok(true) => outcome,
        Ok(false) => "lost",
        // Its lease runs out, and it is taken again.
        Err(error) => {
            tracing::error!(%error, "the failure of job {} was not written down", task.id);
            "failed"
        }
    }
}

/// What is waited after this attempt: twice as long as after the one before, give or take a quarter, so that what
/// failed together does not come back together. The chance comes from `seed`, an id nobody has had.
fn wait_after(attempt: i32, seed: Uuid) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << (attempt - 1).clamp(0, 16));
    let mixed = (seed.as_u128() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    let chance = mixed as f64 / (1_u64 << 24) as f64;
    doubled.min(LONGEST_WAIT).mul_f64(0.75 + chance / 2.0)
}

/// What stands in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Jobs that wait.
    pub waiting: i64,
    /// Jobs that run.
    pub running: i64,
    /// Jobs that need somebody.
    pub parked: i64,
    /// For how long the oldest has been due.
    pub oldest: Duration,
}

/// Counts what stands in the queue.
pub fn figures(conn: &mut DbConn, now: DateTime<Utc>) -> Result<Figures> {
    let oldest = store::oldest_due(conn, At::from(now))?;
    Ok(Figures {
        waiting: store::count(conn, JobState::Waiting)?,
        running: store::count(conn, JobState::Running)?,
        parked: store::count(conn, JobState::Parked)?,
        oldest: oldest.map_or(Duration::ZERO, |at| (now - at.utc()).to_std().unwrap_or_default()),
    })
}

async fn measure(db: &Db) {
    let now = db.now();
    match db.read(move |conn| figures(conn, now)).await {
        Ok(figures) => {
            let gauge = |state: &'static str, count: i64| {
                metrics::gauge!("nigran_jobs", "state" => state).set(count as f64);
            };
            gauge("waiting", figures.waiting);
            gauge("running", figures.running);
            gauge("parked", figures.parked);
            metrics::gauge!("nigran_jobs_oldest_seconds").set(figures.oldest.as_secs_f64());
        }
        Err(error) => tracing::warn!(%error, "the queue was not measured"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_about_twice_the_one_before_and_none_is_endless() {
        for (attempt, about) in [(1, 5.0), (2, 10.0), (3, 20.0), (8, 640.0), (30, 3600.0), (i32::MAX, 3600.0)]
        {
            for _ in 0..100 {
                let seconds = wait_after(attempt, Uuid::now_v7()).as_secs_f64();
                assert!((about * 0.75..=about * 1.25).contains(&seconds), "{attempt}: {seconds}");
            }
        }
    }

    #[tokio::test]
    async fn one_place_is_left_for_other_kinds() {
        let mut places = Places::of(4);
        while places.left_for("notify") > 1 {
            places.give("notify", std::future::pending());
        }
        places.give("notify", std::future::ready(()));

        assert_eq!((places.left_for("notify"), places.free()), (0, 1));
        assert_eq!(places.left_for("replay.run"), 1);
        places.give("replay.run", std::future::pending());
        assert_eq!((places.left_for("replay.run"), places.left_for("photo.understand")), (0, 0));
        places.one_is_over().await;
        assert_eq!(places.left_for("notify"), 1);
    }

    #[test]
    fn who_has_one_place_gives_it_to_anybody() {
        assert_eq!(Places::of(1).left_for("notify"), 1);
    }

    #[tokio::test]
    async fn a_task_that_fails_outside_its_handler_keeps_no_place() {
        let mut places = Places::of(2);
        places.give("notify", async { panic!("in the midst of writing down what came of it") });
        places.give("replay.run", async { panic!("the other as well") });
        assert_eq!(places.free(), 0);

        places.one_is_over().await;
        places.one_is_over().await;

        assert_eq!((places.free(), places.left_for("notify"), places.left_for("replay.run")), (2, 1, 1));
    }

    #[test]
    fn what_failed_together_does_not_come_back_together() {
        let ids = crate::clock::Ids::counted();
        let mut waits: Vec<_> = std::iter::repeat_with(|| wait_after(5, ids.next())).take(50).collect();
        waits.sort();
        waits.dedup();

        assert!(waits.len() > 45, "{} different waits", waits.len());
    }
}
