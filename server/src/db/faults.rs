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

/// What the client library says, in English always, of a connection that is gone. Which of them comes depends on what it was doing
/// when the other side went away; diesel has a kind of its own for the first alone.
const GONE: [&str; 6] = [
    "server closed the connection",
    "could not receive data from server",
    "could not send data to server",
    "no connection to the server",
    "connection not open",
    "SSL ",
];

/// Whether the connection to the database is gone, by what the library says of it.
pub(crate) fn is_lost(error: &Diesel) -> bool {
    match error {
        Diesel::BrokenTransactionManager => true,
        Diesel::DatabaseError(
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
            _,
        ) => true,
        Diesel::DatabaseError(DatabaseErrorKind::Unknown, said) => {
            // The server's own last words, in English at least.
            let said = said.message();
            said.contains("terminating connection") || GONE.iter().any(|gone| said.starts_with(gone))
        }
        _ => false,
    }
}

impl Fault {
    pub(super) fn of(error: &Error) -> Fault {
        // Whoever was waited for is there still; to wait again is to keep others waiting.
        if error.code == "database_slow" {
            return Fault::Own;
        }
        let cause = error.cause.as_deref().and_then(|cause| cause.downcast_ref::<Diesel>());
        match cause {
            Some(cause) if is_lost(cause) => Fault::Broken,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Error {
        Diesel::DatabaseError(DatabaseErrorKind::Unknown, Box::new(text.to_owned())).into()
    }

    #[test]
    fn a_connection_that_is_gone_is_known_by_whatever_is_said_of_it() {
        let ways = [
            "server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally",
            "could not receive data from server: Connection reset by peer",
            "could not send data to server: Broken pipe",
            "no connection to the server\n",
            "terminating connection because of crash of another server process",
            "terminating connection due to administrator command",
            "SSL SYSCALL error: EOF detected",
        ];
        for way in ways {
            let error = said(way);

            assert_eq!(Fault::of(&error), Fault::Broken, "{way}");
            assert_eq!(error.code, "database_unavailable", "{way}");
            assert!(error.retry_after.is_some(), "{way}");
        }
    }

    #[test]
    fn a_deadlock_and_a_foreign_fault_are_no_lost_connection() {
        assert_eq!(Fault::of(&said("deadlock detected")), Fault::Passing);
        assert_eq!(said("deadlock detected").code, "internal");
    }
}
