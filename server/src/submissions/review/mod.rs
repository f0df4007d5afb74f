//! Review: a supervisor takes a submission, sends it back with comments, or turns it down. Every decision is a row that never
//! changes; the head only says where the submission stands. A decision is about one revision: whoever looked at an older page is
//! told so, of two who decide at once one is too late, and nobody decides about what is their own.
//!
//! What a form asks of its reviewer (`x-asked-of`) is answered here, with a decision or ahead of it, and stands apart from what was filed.

mod answering;
mod answers;
mod clean;
mod deciding;
mod difference;
mod model;
mod phone;
mod queue;
mod requests;
mod routes;
mod store;
mod views;

pub(super) use answers::{ReviewAnswers, about as answers_about, answered_by, findings_at_review};
pub use phone::{CommentForPhone, ReceiptForPhone, ReturnedForPhone, receipts_for_phone, returned_for_phone};
pub(super) use routes::routes;
pub(super) use views::{Candour, DecisionView};

use super::model::{Action, SubmissionId};
use crate::accounts::Permission;
use crate::db::DbConn;
use crate::error::Result;

/// What one needs to review anything; the kind of the submission then says which of them.
pub(super) const REVIEWING: &[Permission] =
    &[Permission::ReviewInspections, Permission::ReviewAudits, Permission::ReviewToolkit];

/// The paths commented on when the submission was last sent back.
pub(super) fn paths_sent_back(conn: &mut DbConn, id: &SubmissionId) -> Result<Vec<String>> {
    let last = store::last(conn, id)?.filter(|row| row.action == Action::Return);
    let comments = last.map(|row| row.comments()).transpose()?.unwrap_or_default();
    Ok(comments.into_iter().map(|comment| comment.path).collect())
}

/// The last decision about a submission, as far as the reader may know of it.
pub(super) fn last_decision(
    conn: &mut DbConn,
    id: &SubmissionId,
    candour: Candour,
) -> Result<Option<DecisionView>> {
    store::last(conn, id)?.map(|row| DecisionView::of(row, candour)).transpose()
}
