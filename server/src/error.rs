//! The one error of the service. It knows what went wrong and what the reader can do; it knows nothing of HTTP
//! (`http/problem.rs` alone turns a kind into a status).

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

/// `Result` with the service's own error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of failure it is; each sort has one HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request cannot be understood or does not hold together.
    Invalid,
    /// Nobody is logged in, or the token is not good.
    Unauthenticated,
    /// Logged in, but not for this.
    Forbidden,
    /// No such thing, or none this person may know of.
    NotFound,
    /// There was such a thing; it has ended and does not come back.
    Gone,
    /// The bytes that came are not those that were sent: their checksum is another.
    Damaged,
    /// The path exists, but not with this method.
    WrongMethod,
    /// Something else stands in its place already.
    Conflict,
    /// The caller knew an older state than the one stored.
    Stale,
    /// More bytes than are taken here.
    TooLarge,
    /// A kind of content that is not taken here.
    Unsupported,
    /// Too many attempts; `retry_after` says when to try again.
    TooMany,
    /// Not possible at the moment; `retry_after` says when to try again.
    Unavailable,
    /// Our own fault. The cause is logged and never shown.
    Internal,
}

/// A failure with a stable code, a sentence for people, and whatever a client needs to act on it.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct Error {
    /// The sort of failure.
    pub kind: Kind,
    /// Stable, for programs: `submission_conflict`.
    pub code: &'static str,
    /// Names the thing and the remedy, for people.
    pub detail: String,
    /// Further members of the problem document.
    pub members: BTreeMap<&'static str, Value>,
    /// When trying again makes sense.
    pub retry_after: Option<Duration>,
    /// What lay behind an internal error; for the log only.
    #[source]
    pub cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident;)*) => {
        impl Error {
            $($(#[$doc])*
            pub fn $name(code: &'static str, detail: impl Into<String>) -> Error {
                Error::new(Kind::$kind, code, detail.into())
            })*
        }
    };
}

constructors! {
    /// The request cannot be understood.
    invalid => Invalid;
    /// The caller is nobody we know.
    unauthenticated => Unauthenticated;
    /// The caller may not do this.
    forbidden => Forbidden;
    /// There is no such thing for this caller.
    not_found => NotFound;
    /// It has ended.
    gone => Gone;
    /// The bytes were damaged on the way.
    damaged => Damaged;
    /// Something else stands there already.
    conflict => Conflict;
    /// The caller's knowledge is out of date.
    stale => Stale;
    /// Too many bytes.
    too_large => TooLarge;
    /// A content type not taken here.
    unsupported => Unsupported;
    /// Too many attempts.
    too_many => TooMany;
    /// Not now.
    unavailable => Unavailable;
}

impl Error {
    fn new(kind: Kind, code: &'static str, detail: String) -> Error {
        Error { kind, code, detail, members: BTreeMap::new(), retry_after: None, cause: None }
    }

    /// Our own fault: `doing` says what was being done, `cause` goes to the log.
    pub fn internal(doing: &str, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        let mut error = Error::new(Kind::Internal, "internal", format!("the server failed while {doing}"));
        error.cause = Some(cause.into());
        error
    }

    /// Says what lay behind it, for the log.
    fn caused_by(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        self.cause = Some(cause.into());
        self
    }

    /// Adds a member to the problem document.
    pub fn with(mut self, member: &'static str, value: impl Into<Value>) -> Error {
        self.members.insert(member, value.into());
        self
    }

    /// Says when to try again.
    pub fn retry_after(mut self, wait: Duration) -> Error {
        self.retry_after = Some(wait);
        self
    }
}

impl From<diesel::result::Error> for Error {
    fn from(cause: diesel::result::Error) -> Error {
        match cause {
            diesel::result::Error::NotFound => Error::not_found("not_found", "there is no such record"),
            // Only what was asked for can hold it: what is stored goes through `db::storable`.
            diesel::result::Error::DatabaseError(_, said)
                if said.message().starts_with("invalid byte sequence for encoding") =>
            {
                Error::invalid("nul_in_text", "U+0000 stands in no text here; leave it out")
            }
            lost if crate::db::is_lost(&lost) => {
                let detail = "the connection to the database broke; send it again shortly";
                Error::unavailable("database_unavailable", detail)
                    .retry_after(Duration::from_secs(2))
                    .caused_by(lost)
            }
            diesel::result::Error::DatabaseError(kind, said)
                if said.message().starts_with("canceling statement") =>
            {
                let detail = "the database took too long over this; ask for less, or try again shortly";
                Error::unavailable("database_slow", detail)
                    .retry_after(Duration::from_secs(5))
                    .caused_by(diesel::result::Error::DatabaseError(kind, said))
            }
            other => match crate::db::ailment::of(&other.to_string()) {
                Some(ailment) => {
                    let detail = format!("{}; nothing was stored, send it again later", ailment.remedy());
                    Error::unavailable("database_unavailable", detail)
                        .retry_after(Duration::from_secs(30))
                        .caused_by(other)
                }
                None => Error::internal("using the database", other),
            },
        }
    }
}
