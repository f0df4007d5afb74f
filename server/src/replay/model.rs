//! Nouns of the room: what is asked, and how far it has come.

use diesel::prelude::*;
use form_engine::Package;
use serde::{Deserialize, Serialize};

use super::report::Report;
use crate::db::schema::{replay_parts, replays};
use crate::db::{At, Json, Packed, text_enum, text_id};
use crate::error::{Error, Result};
use crate::submissions::Past;

text_id! {
    /// A replay's id.
    ReplayId
}

text_enum! {
    /// How a replay stands.
    ReplayState {
        /// It has not begun.
        Waiting = "waiting",
        /// It is under way.
        Running = "running",
        /// It has a report.
        Done = "done",
        /// It cannot be done; `problem` says why.
        Failed = "failed",
    }
}

/// The largest sample.
const LARGEST_SAMPLE: u32 = 200_000;

/// Over which past submissions of the form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReplayOver)]
pub enum Over {
    /// All of them.
    All,
    /// Those whose visit ended in a period.
    Period {
        /// From this instant on.
        #[schema(value_type = chrono::DateTime<chrono::Utc>)]
        from: At,
        /// Before this one.
        #[schema(value_type = chrono::DateTime<chrono::Utc>)]
        to: At,
    },
    /// Some, drawn by lot: the same seed draws the same.
    Sample {
        /// How many: 1 to 200 000.
        size: u32,
        /// Any number.
        seed: u64,
    },
}

impl Over {
    pub(super) fn check(&self) -> Result<()> {
        match self {
            Over::Period { from, to } if from >= to => {
                Err(Error::invalid("period_empty", "`from` must be before `to`"))
            }
            Over::Sample { size, .. } if !(1..=LARGEST_SAMPLE).contains(size) => {
                Err(Error::invalid("sample_size", format!("a sample has 1 to {LARGEST_SAMPLE} submissions")))
            }
            _ => Ok(()),
        }
    }
}

/// By which values of the law the proposed release judges a visit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReplayLaw)]
pub enum Law {
    /// By those of the visit's own day: what would have been different had the release been there.
    #[default]
    OfTheDay,
    /// As if the values it brings had always been in force: what a limit from next year on means, read off the visits of this one.
    AsIfInForce,
}

impl Law {
    /// Whether it is the one that need not be named.
    pub(crate) fn is_of_the_day(&self) -> bool {
        *self == Law::OfTheDay
    }
}

/// What somebody wants to know.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The proposed release.
    pub package: Package,
    /// The release it is compared with.
    pub against: u32,
    /// Over which submissions.
    pub over: Over,
    /// By which values of the law.
    pub law: Law,
    /// As they stood at this instant; none: now. What an earlier report names gives that report again.
    pub through: Option<At>,
}

/// What is kept of what was asked, beside the package.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Question {
    pub(super) against: u32,
    pub(super) over: Over,
    pub(super) through: At,
    #[serde(default, skip_serializing_if = "Law::is_of_the_day")]
    pub(super) law: Law,
}

impl Question {
    /// The submissions that are asked for; a sample is drawn from them.
    pub(super) fn past(&self, form: &str) -> Past {
        let between = match self.over {
            Over::Period { from, to } => Some((from, to)),
            Over::All | Over::Sample { .. } => None,
        };
        Past { form: form.to_owned(), through: self.through, between }
    }
}

/// A replay as a row.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = replays)]
pub(super) struct ReplayRow {
    pub(super) id: ReplayId,
    pub(super) form: String,
    pub(super) package_hash: String,
    pub(super) asked: Json,
    pub(super) package: Packed,
    pub(super) asked_by: Option<String>,
    pub(super) asked_at: At,
    pub(super) state: ReplayState,
    pub(super) total: i64,
    pub(super) done: i64,
    pub(super) last_id: String,
    /// Of a sample: the largest lot that is in it.
    pub(super) bound: Option<String>,
    pub(super) ended_at: Option<At>,
    pub(super) report: Option<Packed>,
    pub(super) report_hash: Option<String>,
    pub(super) problem: Option<String>,
}

/// The counts of one stretch, as a row.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = replay_parts)]
pub(super) struct PartRow {
    pub(super) replay_id: ReplayId,
    pub(super) n: i32,
    pub(super) tally: Packed,
}

/// A replay as those who may see it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Replay)]
pub struct ReplayView {
    /// Its id.
    pub id: ReplayId,
    /// The form.
    pub form: String,
    /// Hex SHA-256 of the proposed release.
    pub package_hash: String,
    /// The release it is compared with.
    pub against: u32,
    /// Over which submissions.
    pub over: Over,
    /// By which values of the law the proposed release judged.
    pub law: Law,
    /// As they stood at this instant. Sent again, it gives the same report.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub through: At,
    /// When it was asked for.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub asked_at: At,
    /// How it stands.
    pub state: ReplayState,
    /// Submissions looked at so far.
    pub done: i64,
    /// Submissions to look at.
    pub total: i64,
    /// When it ended.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    pub ended_at: Option<At>,
    /// Why it cannot be done.
    pub problem: Option<String>,
    /// Hex SHA-256 of the report's bytes.
    pub report_hash: Option<String>,
    /// The report, once it is done; left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
}

impl ReplayView {
    /// With its report.
    pub(super) fn of(row: ReplayRow) -> Result<ReplayView> {
        let report = row.report.as_ref().map(Packed::read).transpose()?;
        Ok(ReplayView { report, ..ReplayView::listed(row)? })
    }

    /// Without its report.
    pub(super) fn listed(row: ReplayRow) -> Result<ReplayView> {
        let Question { against, over, through, law } = row.asked.read()?;
        Ok(ReplayView {
            id: row.id,
            form: row.form,
            package_hash: row.package_hash,
            against,
            over,
            law,
            through,
            asked_at: row.asked_at,
            state: row.state,
            done: row.done,
            total: row.total,
            ended_at: row.ended_at,
            problem: row.problem,
            report_hash: row.report_hash,
            report: None,
        })
    }
}
