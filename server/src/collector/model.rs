//! Nouns of the phone: a visit, the item that carries it through the queue, its photos, and what was said of it.

use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::machine::State;
use super::rules::{Agreement, Judged};

/// What an inspector fills in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Visit {
    /// The form's code.
    pub form: String,
    /// The release it is filled with.
    pub version: u32,
    /// The facility visited, where it is known.
    pub facility: Option<String>,
    /// When the form was opened.
    pub started_at: DateTime<FixedOffset>,
    /// When it was closed.
    pub finished_at: DateTime<FixedOffset>,
    /// The phone's own fix, as the envelope has it; none: the phone found none.
    pub location: Option<Value>,
    /// The answers, by section.
    pub answers: Value,
    /// Reasons given instead of answers.
    #[serde(default)]
    pub non_answers: Map<String, Value>,
}

/// A file as it was taken, before it is in the queue.
#[derive(Clone, Debug)]
pub struct Picture {
    /// The name the answers use.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// How far a file of an item has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Way {
    /// Not begun, or begun in one go without an answer (`doubted`: the server may have it).
    Waiting {
        /// Whether it was sent once without an answer.
        doubted: bool,
    },
    /// A resumable upload has been opened.
    Uploading {
        /// The upload's path on the server.
        upload: String,
        /// So many bytes the server has acknowledged.
        offset: u64,
        /// Whether bytes are under way of which nobody knows whether they arrived: ask first.
        asked: bool,
    },
    /// The server has it.
    Arrived,
    /// The server will not take it; a person decides.
    Refused {
        /// The problem's code.
        code: String,
    },
}

/// A file of an item. Its bytes lie in the queue's `photos` folder under their hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Photo {
    /// The name in the envelope's media list.
    pub name: String,
    /// Hex SHA-256 of its bytes.
    pub sha256: String,
    /// Their number.
    pub size: u64,
    /// Its media type.
    #[serde(rename = "type")]
    pub content_type: String,
    /// How far it has come.
    pub way: Way,
}

/// What a server's problem document says, as far as a phone acts on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The stable code.
    pub code: String,
    /// The sentence for people.
    pub detail: String,
    /// The hash of the revision the server holds, where it says so.
    pub content_hash: Option<String>,
}

/// What the server said of a submission.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// The signed receipt: it stays valid without the server.
    pub receipt: String,
    /// The revision; none while in quarantine.
    pub revision: Option<i64>,
    /// When the server stored it.
    pub received_at: String,
    /// What the server's rules said.
    pub verdict: String,
    /// What smelt wrong.
    pub flags: Vec<String>,
}

/// A submission on the phone: one file in the queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The id the phone gave it.
    pub id: Uuid,
    /// Where it stands.
    pub state: State,
    /// What was filled in.
    pub visit: Visit,
    /// The bytes to be sent, fixed when the form was closed: sent again, they are the same to the letter.
    pub envelope: Option<String>,
    /// The hash the server will name them by.
    pub content_hash: Option<String>,
    /// The hash of the revision this one replaces.
    pub if_match: Option<String>,
    /// Its files.
    pub photos: Vec<Photo>,
    /// What the rules said on the phone.
    pub judged: Option<Judged>,
    /// What the server said of it, once it did.
    pub proof: Option<Proof>,
    /// Whether both said the same.
    pub agreement: Option<Agreement>,
    /// What the reviewer wrote, after a return.
    #[serde(default)]
    pub comments: Vec<Value>,
    /// The last problem the server had with it.
    pub problem: Option<Problem>,
    /// Attempts in a row that failed for reasons of its own.
    pub failures: u32,
    /// Not to be tried again before.
    pub not_before: Option<DateTime<Utc>>,
}

impl Item {
    /// A visit just begun.
    pub fn begun(id: Uuid, visit: Visit, photos: Vec<Photo>) -> Item {
        Item {
            id,
            state: State::Draft,
            visit,
            envelope: None,
            content_hash: None,
            if_match: None,
            photos,
            judged: None,
            proof: None,
            agreement: None,
            comments: Vec::new(),
            problem: None,
            failures: 0,
            not_before: None,
        }
    }

    /// Whether every file has arrived.
    pub fn has_all_photos_there(&self) -> bool {
        self.photos.iter().all(|photo| photo.way == Way::Arrived)
    }

    /// Where in its files the next one to send stands; none: there is nothing to send.
    pub fn next_photo(&self) -> Option<usize> {
        let open = |photo: &Photo| matches!(photo.way, Way::Waiting { .. } | Way::Uploading { .. });
        // What has begun is finished first.
        let begun = |photo: &Photo| matches!(photo.way, Way::Uploading { .. });
        self.photos.iter().position(begun).or_else(|| self.photos.iter().position(open))
    }
}
