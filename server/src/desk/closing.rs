//! The clock closes a vote: a job left behind when it was opened counts what is there.

use serde_json::json;

use super::Desk;
use super::deciding;
use super::model::{Proposal, ProposalState};
use super::proposals;
use super::store;
use crate::db::{At, By, Tx};
use crate::error::{Error, Result};
use crate::queue::{self, Done, Job, Task};

/// The kind of job that closes votes.
pub const CLOSE: &str = "votes.close";

/// Has a vote closed at an instant.
pub(super) fn at(tx: &mut Tx, proposal: &Proposal, at: At) -> Result<()> {
    let job = Job::new(CLOSE, proposal.id.as_str()).with(json!({ "version": proposal.version })).at(at.utc());
    queue::enqueue(tx, job.once(format!("{}:{}", proposal.id, proposal.version)))
}

impl Desk {
    /// Closes a vote whose time is up. One that was decided, changed or withdrawn meanwhile is left alone.
    pub async fn close_vote(&self, task: Task) -> Result<Done> {
        let room = self.clone();
        let done = self
            .db
            .write(By::system(), move |tx| {
                let id = task
                    .subject
                    .parse()
                    .map_err(|_| Error::internal("closing a vote", "the job names no proposal"))?;
                if store::proposal(tx.conn, &id)?.is_some() {
                    let proposal = proposals::held(tx.conn, &id)?;
                    let open = matches!(proposal.state, ProposalState::Voting | ProposalState::Tied);
                    let due = proposal.closes_at.is_some_and(|at| at <= At::from(tx.now()));
                    if open && due && task.details["version"] == proposal.version {
                        deciding::close(&room, tx, proposal)?;
                    }
                }
                queue::finish(tx, &task)
            })
            .await?;
        self.forms.refresh();
        Ok(done)
    }
}
