//! Nouns of the room. An assignment's version is the number of its last event, so whoever acts on an older page is told.

use diesel::prelude::*;

use crate::accounts::{Kind, Line};
use crate::db::schema::{assignment_events, assignments};
use crate::db::{At, Json, text_enum, text_id};
use crate::error::Result;
use crate::http::PathId;

text_id! {
    /// An assignment's id.
    AssignmentId
}

impl PathId for AssignmentId {
    const WHOSE: &'static str = "an assignment's";
}

text_enum! {
    /// Where an assignment stands. That it is overdue is told by its due date, and changes nothing.
    #[schema(as = AssignmentState)]
    State {
        /// The visit is to be made.
        Open = "open",
        /// The visit was made.
        Done = "done",
        /// The visit is no longer wanted.
        Cancelled = "cancelled",
    }
}

text_enum! {
    /// Where an assignment comes from.
    #[schema(as = AssignmentOrigin)]
    Origin {
        /// A finding whose remedy somebody must see.
        Finding = "finding",
        /// An audit, whose rating says when the next one is due.
        Audit = "audit",
        /// A supervisor.
        Supervisor = "supervisor",
        /// The planner.
        Planner = "planner",
    }
}

text_enum! {
    /// What happened to an assignment.
    #[schema(as = AssignmentDeed)]
    Deed {
        /// It was made.
        Made = "assignment.made",
        /// Somebody took it from the pool.
        Taken = "assignment.taken",
        /// It was handed to somebody, or put into a pool.
        Assigned = "assignment.assigned",
        /// Another finding is to be seen on the same visit.
        Extended = "assignment.extended",
        /// Its days changed with what it follows from.
        Rescheduled = "assignment.rescheduled",
        /// The place turned out to lie elsewhere.
        Moved = "assignment.moved",
        /// The visit was made.
        Completed = "assignment.completed",
        /// The visit that completed it counts no more.
        Reopened = "assignment.reopened",
        /// It is no longer wanted.
        Cancelled = "assignment.cancelled",
    }
}

/// An assignment as a row.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = assignments, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(super) struct Assignment {
    pub(super) id: AssignmentId,
    pub(super) form: String,
    pub(super) kind: Kind,
    pub(super) line: Line,
    /// The facility as it was named; one that was merged means the one that goes on in its stead. Of an interview, the
    /// district: see [`Assignment::facility`].
    pub(super) facility: String,
    pub(super) province: Option<String>,
    pub(super) division: Option<String>,
    pub(super) district: Option<String>,
    /// The district whose people may take it while it is nobody's.
    pub(super) pool: Option<String>,
    pub(super) origin: Origin,
    /// The finding, the audit's submission, or the planner's date.
    pub(super) origin_id: Option<String>,
    pub(super) assignee: Option<String>,
    pub(super) not_for: Json,
    pub(super) findings: Json,
    pub(super) reason: String,
    pub(super) from_at: At,
    pub(super) due_at: At,
    /// Visits that ended before this are others.
    pub(super) counts_from: At,
    pub(super) state: State,
    pub(super) completed_by: Option<String>,
    pub(super) completed_account: Option<String>,
    pub(super) completed_at: Option<At>,
    pub(super) cancelled_because: Option<String>,
    pub(super) made_at: At,
    /// None: the system made it.
    pub(super) made_by: Option<String>,
    /// What it must not be made twice for.
    pub(super) once: Option<String>,
    pub(super) version: i32,
}

impl Assignment {
    /// Accounts that cannot take it.
    pub(super) fn not_for(&self) -> Result<Vec<String>> {
        self.not_for.read()
    }

    /// Findings to be seen on the visit.
    pub(super) fn findings(&self) -> Result<Vec<String>> {
        self.findings.read()
    }

    pub(super) fn is_overdue(&self, now: At) -> bool {
        self.state == State::Open && self.due_at < now
    }

    /// The facility to visit; none: the services of a district are asked about.
    pub(super) fn facility(&self) -> Option<&str> {
        (!self.facility.starts_with(DISTRICT)).then_some(self.facility.as_str())
    }

    /// Codes of the areas it lies in.
    pub(super) fn areas(&self) -> impl Iterator<Item = &str> {
        [&self.province, &self.division, &self.district].into_iter().flatten().map(String::as_str)
    }
}

/// How the place of an interview begins, which is a district's services and no facility.
const DISTRICT: &str = "district:";

/// The place of an interview in this district.
pub(super) fn services_of(district: &str) -> String {
    format!("{DISTRICT}{district}")
}

/// The line that assigns visits of a kind. Interviews with the toolkit are Social Welfare's.
pub(super) fn line_of(kind: Kind) -> Line {
    match kind {
        Kind::Inspection => Line::Labour,
        Kind::Audit | Kind::Toolkit => Line::Swd,
    }
}

/// Something that happened to an assignment, as a row.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = assignment_events, treat_none_as_default_value = false)]
pub(super) struct EventRow {
    pub(super) assignment_id: AssignmentId,
    pub(super) n: i32,
    pub(super) at: At,
    pub(super) account_id: Option<String>,
    pub(super) deed: Deed,
    pub(super) state: State,
    pub(super) submission_id: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) details: Json,
}
