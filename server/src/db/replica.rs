//! The read replica of PostgreSQL. It is asked only while it is known to be good: reached, of this very installation, and
//! not too far behind. Whatever else is the matter with it, the primary is asked instead, and nobody waits for a replica.

use std::sync::{Arc, Mutex, TryLockError};
use std::time::{Duration, Instant};

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as Diesel};
use diesel::sql_types::Double;

use super::connection::{DbConn, Source};
use super::faults::Fault;
use super::pool::{Held, Pool};
use super::schema::signing_keys;
use super::settings::Settings;
use crate::error::{Error, Kind, Result};

/// A replica; clones share it.
#[derive(Clone)]
pub(super) struct Replica {
    connections: Pool,
    /// How far it may be behind.
    lag: Duration,
    /// None: it was never looked at.
    looked: Arc<Mutex<Option<Look>>>,
}

/// When it was last looked at, and what was the matter with it.
type Look = (Instant, Option<Unfit>);

/// Why a replica is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unfit {
    Behind,
    Foreign,
    Silent,
}

/// How often a replica is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Seconds by which a replica may be behind; nothing for what is no replica. It is up to date while it hears from the primary
/// and has shown all it heard. Otherwise it is as old as the last thing it shows, and one that has shown nothing yet is
/// older than anything: when the way to the primary is gone, it has nothing left to show and does not know what it misses.
const LAG: &str = "CASE WHEN NOT pg_is_in_recovery() THEN 0 \
     WHEN EXISTS (SELECT FROM pg_stat_wal_receiver WHERE pid IS NOT NULL) \
      AND pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0 \
     ELSE COALESCE(EXTRACT(EPOCH FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8, 'Infinity') END";

impl Replica {
    /// The one these settings name. It need not be there yet.
    pub(super) fn of(source: Source, settings: &Settings) -> Replica {
        let connections = Pool::unchecked(source, settings);
        Replica { connections, lag: settings.replica_lag, looked: Arc::default() }
    }

    /// What the replica answers. None: the primary is to be asked.
    pub(super) fn read<T>(
        &self,
        primary: &Pool,
        query: impl Fn(&mut DbConn) -> Result<T>,
    ) -> Option<Result<T>> {
        let answered = Pool::run(self.ready(primary)?, query);
        match &answered {
            Err(error) if is_the_replicas(error) => {
                tracing::warn!(%error, "the read replica gave up a query; reading from the primary");
                None
            }
            _ => Some(answered),
        }
    }

    /// A connection that is free at once, to a replica that may be asked.
    fn ready(&self, primary: &Pool) -> Option<Held> {
        let mut held = self.connections.free()?;
        // While somebody looks, which takes long when the replica is in trouble, the others do without it.
        let mut looked = match self.looked.try_lock() {
            Ok(looked) => looked,
            Err(TryLockError::Poisoned(looked)) => looked.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        let unfit = match *looked {
            Some((at, unfit)) if at.elapsed() < LOOK_EVERY => unfit,
            _ => {
                let unfit = self.look(&mut held, primary);
                tell(looked.and_then(|(_, before)| before), unfit);
                *looked = Some((Instant::now(), unfit));
                unfit
            }
        };
        unfit.is_none().then_some(held)
    }

    fn look(&self, held: &mut Held, primary: &Pool) -> Option<Unfit> {
        match self.seen(held, primary) {
            Ok(unfit) => unfit,
            Err(cause) => {
                tracing::warn!(%cause, "the read replica cannot be looked at");
                held.is_broken = true;
                Some(Unfit::Silent)
            }
        }
    }

    fn seen(&self, held: &mut Held, primary: &Pool) -> Result<Option<Unfit>> {
        let DbConn::Postgres(conn) = &mut held.conn else { return Ok(None) };
        if diesel::select(sql::<Double>(LAG)).get_result::<f64>(conn)? > self.lag.as_secs_f64() {
            return Ok(Some(Unfit::Behind));
        }
        let theirs = keys(&mut held.conn)?;
        Ok((primary.with(keys)? != theirs).then_some(Unfit::Foreign))
    }
}

/// What all servers of an installation have in common, and those of another have not.
fn keys(conn: &mut DbConn) -> Result<Vec<String>> {
    Ok(signing_keys::table.order(signing_keys::kid).select(signing_keys::kid).load(conn)?)
}

/// Says once that something is the matter, and once that it is over.
fn tell(before: Option<Unfit>, now: Option<Unfit>) {
    match now {
        _ if before == now => {}
        None => tracing::info!("the read replica can be asked again"),
        Some(Unfit::Behind) => tracing::warn!(
            "the read replica is farther behind than it may be, or cut off from its primary; reading from the primary"
        ),
        Some(Unfit::Foreign) => tracing::error!(
            "database.read_url names no copy of database.url: its servers have other signing keys; reading from the primary"
        ),
        Some(Unfit::Silent) => tracing::warn!("the read replica does not answer; reading from the primary"),
    }
}

/// Whether a query failed for reasons of the replica: its connection broke, it was cancelled for the sake of replay, or
/// something is the matter that nobody knows (a server that is going down says so in many words). What takes too long does
/// so on the primary too.
fn is_the_replicas(error: &Error) -> bool {
    let cause = error.cause.as_deref().and_then(|cause| cause.downcast_ref::<Diesel>());
    let was_in_the_way =
        matches!(cause, Some(Diesel::DatabaseError(DatabaseErrorKind::SerializationFailure, _)));
    was_in_the_way || error.kind == Kind::Internal || Fault::of(error) == Fault::Broken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_replica_gave_up_the_primary_is_asked() {
        let failed = |kind, said: &str| {
            is_the_replicas(&Error::from(Diesel::DatabaseError(kind, Box::new(said.to_owned()))))
        };
        assert!(failed(
            DatabaseErrorKind::SerializationFailure,
            "canceling statement due to conflict with recovery"
        ));
        assert!(failed(DatabaseErrorKind::ClosedConnection, "server closed the connection unexpectedly"));
        assert!(failed(
            DatabaseErrorKind::Unknown,
            "terminating connection due to immediate shutdown command"
        ));
        // To ask the primary what was too much for the replica would be too much for both.
        assert!(!failed(DatabaseErrorKind::Unknown, "canceling statement due to statement timeout"));
        assert!(!is_the_replicas(&Error::invalid("nul_in_text", "U+0000")));
    }
}
