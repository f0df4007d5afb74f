//! Nouns of the queue.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;
use serde_json::Value;

use crate::db::schema::jobs;
use crate::db::{At, Json, text_enum};

text_enum! {
    /// How a job stands. A job that is done stands nowhere: its row is gone.
    JobState {
        /// It is run when it is due.
        Waiting = "waiting",
        /// Some process runs it.
        Running = "running",
        /// It failed as often as it may. Somebody must look at it, and have it tried again.
        Parked = "parked",
    }
}

/// Work to be left behind.
#[derive(Clone, Debug)]
pub struct Job {
    pub(super) kind: &'static str,
    pub(super) subject: String,
    pub(super) details: Value,
    pub(super) at: Option<DateTime<Utc>>,
    pub(super) once_key: Option<String>,
}

impl Job {
    /// A job of a kind `jobs.rs` knows, about `subject` (an id or a hash; administrators see it).
    pub fn new(kind: &'static str, subject: impl Into<String>) -> Job {
        Job { kind, subject: subject.into(), details: Value::Null, at: None, once_key: None }
    }

    /// What else the handler must know. Nobody is shown it.
    pub fn with(self, details: Value) -> Job {
        Job { details, ..self }
    }

    /// Not before this instant.
    pub fn at(self, at: DateTime<Utc>) -> Job {
        Job { at: Some(at), ..self }
    }

    /// One job of this kind with this key is enough.
    pub fn once(self, key: impl Into<String>) -> Job {
        Job { once_key: Some(key.into()), ..self }
    }
}

/// A job taken to be run.
#[derive(Clone, Debug)]
pub struct Task {
    /// The job's id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// What else it carries.
    pub details: Value,
    /// The key there is one job of, if it was given one (`Job::once`).
    pub key: Option<String>,
    /// When it was left behind.
    pub created_at: DateTime<Utc>,
    /// The how many-th attempt this is, from 1.
    pub attempt: i32,
    /// By what it was taken: a new one each time.
    pub(super) claim: String,
}

/// A job as those who run the service see it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "kind": "photo.understand", "subject": "9f86d0…", "state": "parked",
    "attempts": 8, "due_at": "2026-11-20T08:47:10Z", "created_at": "2026-11-20T04:00:01Z",
    "last_error": "media_store_unavailable: the media store cannot be used at the moment"
}))]
pub struct JobView {
    /// Its id.
    pub id: String,
    /// What kind of work it is.
    pub kind: String,
    /// What it is about: an id or a hash.
    pub subject: String,
    /// How it stands.
    pub state: JobState,
    /// How often it has been tried.
    pub attempts: i32,
    /// When it may be run; while it runs, when another process may take it over.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub due_at: At,
    /// When it was left behind.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub created_at: At,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}

impl JobView {
    pub(super) fn of(row: JobRow) -> JobView {
        JobView {
            id: row.id,
            kind: row.kind,
            subject: row.subject,
            state: row.state,
            attempts: row.attempts,
            due_at: row.due_at,
            created_at: row.created_at,
            last_error: row.last_error,
        }
    }
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = jobs, treat_none_as_default_value = false)]
pub(super) struct JobRow {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) subject: String,
    pub(super) details: Json,
    pub(super) once_key: Option<String>,
    pub(super) state: JobState,
    pub(super) attempts: i32,
    pub(super) due_at: At,
    pub(super) created_at: At,
    pub(super) claim: Option<String>,
    pub(super) again: bool,
    pub(super) last_error: Option<String>,
}
