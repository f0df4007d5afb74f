//! The queue of work that follows from something: a photo that arrived, a session to close. A job is written in the
//! transaction of the deed it follows from, so neither is without the other. Several processes may share the queue: a
//! job is taken for a while (its lease), and whoever takes it over after a crash takes it under a new claim.
//!
//! What a newcomer would get wrong: a job is run at least once, and *finished* exactly once. Its effect and its end
//! must therefore be one unit of work: a handler calls [`finish`] in the transaction that writes what it found out.
//! If another process has taken the job meanwhile, `finish` fails and nothing of that unit stands.

mod model;
mod run;
mod store;

pub use model::{Job, JobState, JobView, Task};
pub use run::{Done, Figures, Kind, again, figures, finish, run_due, run_due_but, work};

use serde_json::Value;

use crate::db::{At, DbConn, Json, Tx, storable};
use crate::error::{Error, Result};
use model::JobRow;

/// Leaves a job behind, as part of the unit of work: once that is committed, somebody will run it. It is written when the
/// unit ends.
///
/// Of jobs that carry the same key (`Job::once`) there is one: if it waits, nothing changes; if it runs, it is run
/// once more afterwards, for it may have looked too early.
pub fn enqueue(tx: &mut Tx, job: Job) -> Result<()> {
    let row = JobRow {
        id: tx.new_id().to_string(),
        kind: job.kind.to_owned(),
        subject: storable(job.subject),
        details: Json::of(&job.details)?,
        once_key: job.once_key.map(storable),
        state: JobState::Waiting,
        attempts: 0,
        due_at: At::from(job.at.unwrap_or(tx.now())),
        created_at: At::from(tx.now()),
        claim: None,
        again: false,
        last_error: None,
    };
    tx.later(row);
    tx.ring();
    Ok(())
}

/// The same; and where a job with the key waits for a later time, it waits no longer than this one would.
pub fn enqueue_sooner(tx: &mut Tx, job: Job) -> Result<()> {
    let at = At::from(job.at.unwrap_or(tx.now()));
    let (kind, key) = (job.kind, job.once_key.clone());
    enqueue(tx, job)?;
    match key {
        Some(key) => store::hasten(tx.conn, kind, &storable(key), at),
        None => Ok(()),
    }
}

/// Which jobs a reader wants, by id.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Only jobs in this state.
    pub state: Option<JobState>,
    /// Only jobs of this kind.
    pub kind: Option<String>,
    /// After this id.
    pub after: String,
    /// At most so many.
    pub limit: i64,
}

/// The jobs a reader asks for, oldest first, without what they carry.
pub fn list(conn: &mut DbConn, wanted: &Wanted) -> Result<Vec<JobView>> {
    Ok(store::wanted(conn, wanted)?.into_iter().map(JobView::of).collect())
}

/// Every job of a kind that was left behind and has not been done, in that order, with its key and what it carries: for
/// whoever examines the books.
pub fn left_behind(conn: &mut DbConn, kind: &str) -> Result<Vec<Left>> {
    store::of_kind(conn, kind)?
        .into_iter()
        .map(|row| Ok(Left { subject: row.subject, key: row.once_key, details: row.details.read()? }))
        .collect()
}

/// A job that was left behind.
#[derive(Clone, Debug, PartialEq)]
pub struct Left {
    /// What it is about.
    pub subject: String,
    /// What it must not be done twice for.
    pub key: Option<String>,
    /// What it carries.
    pub details: Value,
}

/// Has a parked or waiting job run now, with all its attempts before it.
pub fn retry(tx: &mut Tx, id: &str) -> Result<JobView> {
    let Some(job) = store::job(tx.conn, id)? else {
        return Err(Error::not_found("job_unknown", format!("there is no job {id}; it may be done")));
    };
    if !store::make_due(tx.conn, id, At::from(tx.now()))? {
        return Err(Error::conflict("job_running", format!("job {id} ({}) is running now", job.kind)));
    }
    tx.ring();
    let job = store::job(tx.conn, id)?;
    job.map(JobView::of).ok_or_else(|| Error::internal("reading a job", "it is gone"))
}

/// Whether a job of the same kind about the same subject was left behind earlier and is not done yet: for work that must be
/// done in order. What is parked is waited for by nobody.
pub fn has_earlier(conn: &mut DbConn, task: &Task) -> Result<bool> {
    store::any_earlier(conn, task)
}

/// Makes every running job due: for a process that knows there is no other, and so that whoever ran them is dead.
pub fn take_back(tx: &mut Tx) -> Result<usize> {
    store::make_running_due(tx.conn, At::from(tx.now()))
}

impl Task {
    fn of(row: JobRow) -> Result<Task> {
        Ok(Task {
            details: row.details.read::<Value>()?,
            claim: row.claim.unwrap_or_default(),
            key: row.once_key,
            created_at: row.created_at.utc(),
            id: row.id,
            kind: row.kind,
            subject: row.subject,
            attempt: row.attempts,
        })
    }

    /// A task nobody runs, for tests of what is read from one.
    #[cfg(test)]
    pub(crate) fn of_test(kind: &str, subject: &str, details: Value) -> Task {
        Task {
            id: "1".to_owned(),
            kind: kind.to_owned(),
            subject: subject.to_owned(),
            details,
            key: None,
            created_at: chrono::DateTime::default(),
            attempt: 1,
            claim: String::new(),
        }
    }
}
