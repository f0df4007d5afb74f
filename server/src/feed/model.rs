//! Nouns of the feed.

use crate::db::schema::changes;
use crate::db::{At, text_enum};

text_enum! {
    /// What sort of thing changed.
    What {
        /// A release was published.
        Release = "release",
        /// A boundary set was imported.
        Boundaries = "boundaries",
        /// A facility was registered, changed, moved, merged or closed.
        Facility = "facility",
        /// An assignment was made, changed or taken back.
        Assignment = "assignment",
        /// A submission was stored, reviewed, or its files arrived.
        Submission = "submission",
    }
}

/// Whose phones hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everybody's.
    Everyone,
    /// Those of people who work in the area with this code.
    Area(String),
    /// Those of one account.
    Account(String),
}

impl Audience {
    pub(super) fn word(&self) -> String {
        match self {
            Audience::Everyone => "everyone".to_owned(),
            Audience::Area(code) => format!("area:{code}"),
            Audience::Account(id) => format!("account:{id}"),
        }
    }
}

/// Something that changed, as it is read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    /// What sort of thing.
    pub what: What,
    /// Its id.
    pub subject: String,
}

/// A change as a row.
#[derive(Clone, Debug, diesel::Queryable, diesel::Selectable)]
#[diesel(table_name = changes)]
pub(super) struct Row {
    pub(super) seq: i64,
    pub(super) xid: i64,
    pub(super) what: What,
    pub(super) subject: String,
    pub(super) audience: String,
}

/// A change to be written; the database numbers it.
#[derive(Clone, Debug, diesel::Insertable)]
#[diesel(table_name = changes)]
pub(super) struct NewRow {
    pub(super) at: At,
    pub(super) what: What,
    pub(super) subject: String,
    pub(super) audience: String,
}
