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
pub use run::{Done, Figures, Kind, again, figures, finish, run_due, work};

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

/// Makes every running job due: for a process that knows there is no other, and so that whoever ran them is dead.
pub fn take_back(tx: &mut Tx) -> Result<usize> {
    store::make_running_due(tx.conn, At::from(tx.now()))
}

impl Task {
    fn of(row: JobRow) -> Result<Task> {
        Ok(Task {
            details: row.details.read::<Value>()?,
            claim: row.claim.unwrap_or_default(),
            id: row.id,
            kind: row.kind,
            subject: row.subject,
            attempt: row.attempts,
        })
    }
}
