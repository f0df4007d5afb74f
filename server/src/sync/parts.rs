//! The parts of a phone's picture that are brought in pages: for each, how a page of all of it is read, and how single
//! things that changed are. A room that has something for phones is hooked in here.

use super::model::Answer;
use crate::accounts::Actor;
use crate::db::{At, DbConn};
use crate::error::Result;
use crate::feed::{Change, What};
use crate::submissions::{self, SubmissionId};

/// One sort of thing a phone holds, in the order in which they are brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The person's own submissions.
    Submissions,
}

/// For whom, and from when on.
pub(super) struct Asking<'a> {
    pub(super) actor: &'a Actor,
    /// Submissions that first arrived before this are history.
    pub(super) since: At,
    /// Only what lies in these areas.
    pub(super) areas: &'a [String],
}

impl Part {
    const ALL: &'static [Part] = &[Part::Submissions];

    /// What a new phone is brought first.
    pub(super) const FIRST: Part = Part::ALL[0];

    /// What is brought first of an area the person gained.
    pub(super) const FIRST_BY_AREA: Option<Part> = None;

    /// Whether an area the person gains brings more of it.
    pub(super) fn is_by_area(self) -> bool {
        match self {
            Part::Submissions => false,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Part::Submissions => "s",
        }
    }

    pub(super) fn of_word(word: &str) -> Option<Part> {
        Part::ALL.iter().copied().find(|part| part.word() == word)
    }

    /// The part after this one.
    pub(super) fn next(self) -> Option<Part> {
        let at = Part::ALL.iter().position(|part| *part == self)?;
        Part::ALL.get(at + 1).copied()
    }

    /// Adds at most `limit` items after `after`. Gives the place to read on; none: that was all.
    pub(super) fn page(
        self,
        conn: &mut DbConn,
        asking: &Asking,
        after: Option<&str>,
        limit: usize,
        answer: &mut Answer,
    ) -> Result<Option<String>> {
        match self {
            Part::Submissions => {
                let account = asking.actor.account.as_str();
                let after = after.and_then(place);
                let mut filed =
                    submissions::filed_for_phone(conn, account, asking.since, after, limit as i64 + 1)?;
                let more = filed.len() > limit;
                filed.truncate(limit);
                let rest = filed.last().filter(|_| more).map(key);
                let ids: Vec<String> = filed.into_iter().map(|(_, id)| id.to_string()).collect();
                own_submissions(conn, account, &ids, answer)?;
                Ok(rest)
            }
        }
    }

    fn what(self) -> What {
        match self {
            Part::Submissions => What::Submission,
        }
    }

    fn changed(self, conn: &mut DbConn, asking: &Asking, ids: &[String], answer: &mut Answer) -> Result<()> {
        match self {
            Part::Submissions => {
                own_submissions(conn, asking.actor.account.as_str(), ids, answer)?;
            }
        }
        Ok(())
    }
}

/// Adds what changed, as it is now.
pub(super) fn changed(
    conn: &mut DbConn,
    asking: &Asking,
    changes: &[Change],
    answer: &mut Answer,
) -> Result<()> {
    for part in Part::ALL {
        let ids: Vec<String> = changes
            .iter()
            .filter(|change| change.what == part.what())
            .map(|change| change.subject.clone())
            .collect();
        if !ids.is_empty() {
            part.changed(conn, asking, &ids, answer)?;
        }
    }
    Ok(())
}

fn own_submissions(conn: &mut DbConn, account: &str, ids: &[String], answer: &mut Answer) -> Result<()> {
    answer.receipts.extend(submissions::receipts_for_phone(conn, account, ids)?);
    answer.returned.extend(submissions::returned_for_phone(conn, account, ids)?);
    Ok(())
}

fn key((at, id): &(At, SubmissionId)) -> String {
    format!("{} {id}", at.micros())
}

fn place(key: &str) -> Option<(At, SubmissionId)> {
    let (at, id) = key.split_once(' ')?;
    Some((At::from_micros(at.parse().ok()?), id.parse().ok()?))
}
