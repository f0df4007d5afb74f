//! Flags that stand beside the judgement: raised in the transaction that stores a filing, or later by a job.

use super::facility;
use super::store::{self, LateFlag};
use super::travel::{Neighbours, Whereabouts};
use super::words::flag;
use crate::db::{At, DbConn, Json, Tx};
use crate::error::Result;
use crate::queue::{self, Job};
use crate::submissions::model::{Flag, Head, Judgement, SubmissionId};
use crate::submissions::risk::Risk;

/// The kind of the job that compares a submission's photos with what it says; its subject is the submission.
pub const COMPARE_PHOTOS: &str = "submission.photos";

/// A flag, and the file or submission it is about.
pub(super) struct Late {
    pub(super) subject: String,
    pub(super) flag: Flag,
}

/// Raises them for the revision that stands, those that do not stand already, and moves the submission up the
/// reviewers' queue by them.
pub(super) fn raise(tx: &mut Tx, head: &Head, judgement: &Judgement, all: &[Late]) -> Result<()> {
    let mut raised = 0;
    for late in all {
        let row = LateFlag {
            submission_id: head.id.clone(),
            revision: head.revision,
            code: late.flag.code.clone(),
            subject: late.subject.clone(),
            figures: Json::of(&late.flag.figures)?,
            raised_at: At::from(tx.now()),
        };
        if store::raise(tx.conn, &row)? {
            metrics::counter!("nigran_late_flags_total", "code" => row.code).increment(1);
            raised += 1;
        }
    }
    if raised > 0 {
        let standing = self::late(tx.conn, &head.id, head.revision)?;
        store::set_rank(tx.conn, &head.id, head.revision, Risk::with(judgement, &standing).rank())?;
    }
    Ok(())
}

/// The flags that were raised for a revision beside its judgement.
pub(in crate::submissions) fn late(conn: &mut DbConn, id: &SubmissionId, revision: i32) -> Result<Vec<Flag>> {
    let rows = store::raised(conn, id, revision)?;
    rows.into_iter().map(|row| Ok(flag(&row.code, row.figures.read()?))).collect()
}

/// What a revision that was just stored gives rise to, in the same transaction: flags that rest on the filer's other
/// visits and on the register, which are returned, and a job if photos came before it.
pub(in crate::submissions) fn after_filing(
    tx: &mut Tx,
    head: &Head,
    judgement: &Judgement,
    about: &Whereabouts,
    others: &Neighbours,
    filer_areas: &[String],
) -> Result<Vec<Flag>> {
    let mut raised = about.check(tx.conn, others)?;
    raised.extend(facility::check(tx.conn, head, about, filer_areas)?);
    raise(tx, head, judgement, &raised)?;
    Ok(raised.into_iter().map(|late| late.flag).collect())
}

/// Has a job compare the photos of a submission with what it says.
pub(in crate::submissions) fn about_media(tx: &mut Tx, id: &SubmissionId) -> Result<()> {
    queue::enqueue(tx, Job::new(COMPARE_PHOTOS, id.as_str()).once(id.as_str()))
}
