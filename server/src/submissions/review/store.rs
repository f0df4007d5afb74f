//! Queries of review. Decisions are only ever added.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Text};

use super::answering::Figures;
use super::model::{AnswersRow, ReviewRow};
use crate::db::schema::{review_answers, review_events, submissions};
use crate::db::{At, DbConn};
use crate::error::Result;
use crate::submissions::model::{Head, MediaState, Review, SubmissionId};
use crate::submissions::reading::Sight;
use crate::submissions::store::visible;

pub(super) fn add(conn: &mut DbConn, row: &ReviewRow) -> Result<()> {
    diesel::insert_into(review_events::table).values(row).execute(conn)?;
    Ok(())
}

/// The last decision about a submission.
pub(super) fn last(conn: &mut DbConn, id: &SubmissionId) -> Result<Option<ReviewRow>> {
    Ok(review_events::table
        .filter(review_events::submission_id.eq(id))
        .order(review_events::n.desc())
        .select(ReviewRow::as_select())
        .first(conn)
        .optional()?)
}

/// All decisions about a submission, oldest first.
pub(super) fn history(conn: &mut DbConn, id: &SubmissionId) -> Result<Vec<ReviewRow>> {
    Ok(review_events::table
        .filter(review_events::submission_id.eq(id))
        .order(review_events::n)
        .select(ReviewRow::as_select())
        .load(conn)?)
}

/// Moves the head on, if it still stands where the decision found it; whether it did.
pub(super) fn move_head(conn: &mut DbConn, head: &Head, review: Review, at: At) -> Result<bool> {
    let moved = diesel::update(submissions::table.find(&head.id))
        .filter(submissions::revision.eq(head.revision).and(submissions::review.eq(head.review)))
        .set((submissions::review.eq(review), submissions::changed_at.eq(at)))
        .execute(conn)?;
    Ok(moved == 1)
}

pub(super) fn add_answers(conn: &mut DbConn, row: &AnswersRow) -> Result<()> {
    diesel::insert_into(review_answers::table).values(row).execute(conn)?;
    Ok(())
}

/// What reviewers answered last about a submission, whichever revision it was about.
pub(super) fn last_answers(conn: &mut DbConn, id: &SubmissionId) -> Result<Option<AnswersRow>> {
    Ok(review_answers::table
        .filter(review_answers::submission_id.eq(id))
        .order(review_answers::n.desc())
        .select(AnswersRow::as_select())
        .first(conn)
        .optional()?)
}

/// What reviewers answered last about one revision.
pub(super) fn answers_about(
    conn: &mut DbConn,
    id: &SubmissionId,
    revision: i32,
) -> Result<Option<AnswersRow>> {
    Ok(review_answers::table
        .filter(review_answers::submission_id.eq(id).and(review_answers::revision.eq(revision)))
        .order(review_answers::n.desc())
        .select(AnswersRow::as_select())
        .first(conn)
        .optional()?)
}

/// What reviewers had answered about these submissions by then, first to last.
pub(super) fn answers_by(conn: &mut DbConn, ids: &[SubmissionId], through: At) -> Result<Vec<AnswersRow>> {
    Ok(review_answers::table
        .filter(review_answers::submission_id.eq_any(ids.to_vec()))
        .filter(review_answers::answered_at.le(through))
        .order((review_answers::submission_id, review_answers::n))
        .select(AnswersRow::as_select())
        .load(conn)?)
}

/// Holds a head that waits for review until the end of the unit of work, and brings its figures up to the answers; whether it still waits.
pub(super) fn hold_for_answers(conn: &mut DbConn, head: &Head, figures: &Figures) -> Result<bool> {
    let held = diesel::update(submissions::table.find(&head.id))
        .filter(submissions::revision.eq(head.revision).and(submissions::review.eq(Review::Received)))
        .set((
            submissions::findings.eq(figures.findings),
            submissions::queue_rank.eq(figures.rank),
            submissions::changed_at.eq(figures.at),
        ))
        .execute(conn)?;
    Ok(held == 1)
}

/// Heads of these submissions that this account filed.
pub(super) fn heads_of(conn: &mut DbConn, account: &str, ids: &[String]) -> Result<Vec<Head>> {
    Ok(submissions::table
        .filter(submissions::id.eq_any(ids.to_vec()).and(submissions::account_id.eq(account)))
        .order(submissions::id)
        .select(Head::as_select())
        .load(conn)?)
}

/// Where somebody looks for what waits. Each is one index, read from where the last page ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Within {
    /// A district.
    District(String),
    /// A division.
    Division(String),
    /// The province: nearly everything.
    Province(String),
    /// A tehsil of a district.
    Tehsil {
        /// The district.
        district: String,
        /// The tehsil.
        tehsil: String,
    },
}

/// A place in the queue.
pub(super) type Place = (i32, i64, String);

/// A stretch of the queue.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    /// What comes after this place; none: from the beginning.
    pub(super) after: Option<Place>,
    /// So many at most.
    pub(super) limit: i64,
    /// Only those whose files have all arrived.
    pub(super) complete: bool,
}

/// What waits for the reader's review in one place and form, gravest first. Nobody's own is among it.
pub(super) fn waiting(
    conn: &mut DbConn,
    within: &Within,
    form: &str,
    reader: &Sight,
    stretch: &Stretch,
) -> Result<Vec<Head>> {
    // Written out: an index over what waits is of use only to a query that plainly asks for what waits.
    let mut query = submissions::table
        .filter(sql::<Bool>("review = 'received'"))
        .filter(submissions::form.eq(form.to_owned()))
        .filter(visible(reader))
        .filter(submissions::account_id.ne(reader.account.clone()))
        .order((submissions::queue_rank, submissions::received_at, submissions::id))
        .limit(stretch.limit)
        .select(Head::as_select())
        .into_boxed();
    query = match within.clone() {
        Within::District(code) => query.filter(submissions::district.eq(code)),
        Within::Division(code) => query.filter(submissions::division.eq(code)),
        Within::Province(code) => query.filter(submissions::province.eq(code)),
        Within::Tehsil { district, tehsil } => {
            query.filter(submissions::district.eq(district).and(submissions::tehsil.eq(tehsil)))
        }
    };
    if stretch.complete {
        query = query.filter(submissions::media.eq(MediaState::Complete));
    }
    if let Some((rank, at, id)) = stretch.after.clone() {
        let later = sql::<Bool>("(queue_rank, received_at, id) > (")
            .bind::<Integer, _>(rank)
            .sql(", ")
            .bind::<BigInt, _>(at)
            .sql(", ")
            .bind::<Text, _>(id)
            .sql(")");
        query = query.filter(later);
    }
    Ok(query.load(conn)?)
}
