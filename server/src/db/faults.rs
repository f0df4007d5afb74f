//! What lies behind a failure of the database, and so what is to be done about it.

use diesel::result::{DatabaseErrorKind, Error as Diesel};

use crate::error::Error;

/// Why a unit of work failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The connection is gone, and the transaction with it.
    Broken,
    /// The database gave up because of what others did at the same time; trying again may help.
    Passing,
    /// The unit's own affair.
    Own,
}

impl Fault {
    pub(super) fn of(error: &Error) -> Fault {
        // Whoever was waited for is there still; to wait again is to keep others waiting.
        if error.code == "database_slow" {
            return Fault::Own;
        }
        let cause = error.cause.as_deref().and_then(|cause| cause.downcast_ref::<Diesel>());
        match cause {
            Some(Diesel::DatabaseError(
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
                _,
            )) => Fault::Broken,
            Some(Diesel::BrokenTransactionManager) => Fault::Broken,
            // Deadlocks and time-outs have no kind of their own in diesel, and their words depend on the server's language;
            // whatever else is unknown is tried again without harm.
            // A key that somebody else has just taken is found there the next time.
            Some(Diesel::DatabaseError(
                DatabaseErrorKind::SerializationFailure
                | DatabaseErrorKind::UniqueViolation
                | DatabaseErrorKind::Unknown,
                _,
            )) => Fault::Passing,
            _ => Fault::Own,
        }
    }
}
