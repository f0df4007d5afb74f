//! The parts of a phone's picture that are brought in pages: for each, how a page of all of it is read, and how single
//! things that changed are. A room that has something for phones is hooked in here.

use std::collections::HashSet;

use super::model::{Answer, Dropped};
use crate::accounts::Actor;
use crate::assignments;
use crate::db::{At, DbConn};
use crate::error::Result;
use crate::facilities::{self, FacilityId, Sight};
use crate::feed::{Change, What};
use crate::submissions::{self, SubmissionId};

/// One sort of thing a phone holds, in the order in which they are brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Facilities of the person's line, in the person's areas.
    Facilities,
    /// Visits to be made: the person's own, and those free to take in the person's areas.
    Assignments,
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
    const ALL: &'static [Part] = &[Part::Facilities, Part::Assignments, Part::Submissions];

    /// What a new phone is brought first.
    pub(super) const FIRST: Part = Part::ALL[0];

    /// What is brought first of an area the person gained.
    pub(super) const FIRST_BY_AREA: Part = Part::Facilities;

    /// Whether an area the person gains brings more of it.
    pub(super) fn is_by_area(self) -> bool {
        match self {
            Part::Facilities | Part::Assignments => true,
            Part::Submissions => false,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Part::Facilities => "f",
            Part::Assignments => "a",
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
            Part::Facilities => facilities_page(conn, asking, after, limit, answer),
            Part::Assignments => assignments_page(conn, asking, after, limit, answer),
            Part::Submissions => submissions_page(conn, asking, after, limit, answer),
        }
    }

    fn what(self) -> What {
        match self {
            Part::Facilities => What::Facility,
            Part::Assignments => What::Assignment,
            Part::Submissions => What::Submission,
        }
    }

    fn changed(self, conn: &mut DbConn, asking: &Asking, ids: &[String], answer: &mut Answer) -> Result<()> {
        match self {
            Part::Facilities => facilities_changed(conn, asking, ids, answer),
            Part::Assignments => assignments_changed(conn, asking, ids, answer),
            Part::Submissions => own_submissions(conn, asking, ids, answer),
        }
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

/// What of `limit + 1` goes on the page, and the last of it when there is more.
fn cut<T>(items: &mut Vec<T>, limit: usize) -> Option<&T> {
    let more = items.len() > limit;
    items.truncate(limit);
    items.last().filter(|_| more)
}

fn facilities_page(
    conn: &mut DbConn,
    asking: &Asking,
    after: Option<&str>,
    limit: usize,
    answer: &mut Answer,
) -> Result<Option<String>> {
    let Some(sight) = sight(asking) else { return Ok(None) };
    let after: Option<FacilityId> = after.and_then(|id| id.parse().ok());
    let mut found = facilities::within(conn, &sight, after.as_ref(), limit as i64 + 1)?;
    let rest = cut(&mut found, limit).map(|last| last.id.to_string());
    let ids: Vec<FacilityId> = found.into_iter().map(|facility| facility.id).collect();
    answer.facilities.extend(facilities::for_phone_seen(conn, &ids, &sight)?);
    Ok(rest)
}

/// What can no longer be seen is dropped, whatever became of it: it moved away, or was merged or closed.
fn facilities_changed(conn: &mut DbConn, asking: &Asking, ids: &[String], answer: &mut Answer) -> Result<()> {
    let Some(sight) = sight(asking) else { return Ok(()) };
    let ids: Vec<FacilityId> = ids.iter().filter_map(|id| id.parse().ok()).collect();
    let seen = facilities::for_phone_seen(conn, &ids, &sight)?;
    let known: HashSet<&FacilityId> = seen.iter().map(|facility| &facility.id).collect();
    let gone = ids.iter().filter(|id| !known.contains(id));
    answer.dropped.extend(gone.map(|id| Dropped { kind: "facility", id: id.to_string() }));
    answer.facilities.extend(seen);
    Ok(())
}

/// What of the register this person may see in the areas asked for; none: nothing.
fn sight(asking: &Asking) -> Option<Sight> {
    let person = Actor { areas: asking.areas.to_vec(), ..asking.actor.clone() };
    Sight::of(&person).ok()
}

fn assignments_page(
    conn: &mut DbConn,
    asking: &Asking,
    after: Option<&str>,
    limit: usize,
    answer: &mut Answer,
) -> Result<Option<String>> {
    let mut found = assignments::within(conn, asking.actor, asking.areas, after, limit as i64 + 1)?;
    let rest = cut(&mut found, limit).map(|last| last.id.to_string());
    answer.assignments.extend(found);
    Ok(rest)
}

/// What is done, cancelled, or a colleague's by now is dropped.
fn assignments_changed(
    conn: &mut DbConn,
    asking: &Asking,
    ids: &[String],
    answer: &mut Answer,
) -> Result<()> {
    let held = assignments::for_phone(conn, asking.actor, ids)?;
    let gone = ids.iter().filter(|id| !held.iter().any(|it| it.id.as_str() == id.as_str()));
    answer.dropped.extend(gone.map(|id| Dropped { kind: "assignment", id: id.clone() }));
    answer.assignments.extend(held);
    Ok(())
}

fn submissions_page(
    conn: &mut DbConn,
    asking: &Asking,
    after: Option<&str>,
    limit: usize,
    answer: &mut Answer,
) -> Result<Option<String>> {
    let account = asking.actor.account.as_str();
    let after = after.and_then(place);
    let mut filed = submissions::filed_for_phone(conn, account, asking.since, after, limit as i64 + 1)?;
    let rest = cut(&mut filed, limit).map(|(at, id)| format!("{} {id}", at.micros()));
    let ids: Vec<String> = filed.into_iter().map(|(_, id)| id.to_string()).collect();
    own_submissions(conn, asking, &ids, answer)?;
    Ok(rest)
}

fn own_submissions(conn: &mut DbConn, asking: &Asking, ids: &[String], answer: &mut Answer) -> Result<()> {
    let account = asking.actor.account.as_str();
    answer.receipts.extend(submissions::receipts_for_phone(conn, account, ids)?);
    answer.returned.extend(submissions::returned_for_phone(conn, account, ids)?);
    Ok(())
}

/// Where a page of submissions goes on.
fn place(key: &str) -> Option<(At, SubmissionId)> {
    let (at, id) = key.split_once(' ')?;
    Some((At::from_micros(at.parse().ok()?), id.parse().ok()?))
}
