//! Tells the feed of what is filed and decided, so that the filer's phones hear of it: one row beside the half dozen a
//! filing writes.

use crate::db::Tx;
use crate::error::Result;
use crate::feed::{self, Audience, What};
use crate::submissions::{Decision, FiledRevision, SubmissionId, Watcher};

/// Watches submissions on behalf of those who filed them.
pub struct Telling;

impl Watcher for Telling {
    fn filed(&self, tx: &mut Tx, filed: &FiledRevision) -> Result<()> {
        tell(tx, filed.submission, filed.account)
    }

    fn decided(&self, tx: &mut Tx, decision: &Decision) -> Result<()> {
        tell(tx, decision.submission, decision.account)
    }
}

fn tell(tx: &mut Tx, submission: &SubmissionId, account: &str) -> Result<()> {
    feed::changed(tx, What::Submission, submission, Audience::Account(account.to_owned()))
}
