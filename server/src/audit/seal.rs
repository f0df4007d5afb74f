//! The sealer: takes what waits in the queue and adds one link to the chain.

use std::time::Duration;

use super::model::Seal;
use super::store;
use crate::db::{At, Tx};
use crate::error::Result;

/// How often the sealer looks: an event is unsealed for this long and the time of one commit.
pub const SEAL_EVERY: Duration = Duration::from_millis(500);

/// Events in one link at most.
const LINK: i64 = 1000;

/// Seals what waits, up to one link, and returns how many events that was. Two sealers at once: the number of the
/// link is unique, so one of them fails and finds the queue shorter next time.
pub fn seal_pending(tx: &mut Tx) -> Result<usize> {
    let events = store::pending(tx.conn, LINK)?;
    if events.is_empty() {
        return Ok(0);
    }
    let (n, previous) = store::last_seal(tx.conn)?.map_or((1, String::new()), |last| (last.n + 1, last.hash));
    let seal = Seal::over(n, At::from(tx.now()), previous, &events);
    store::add_seal(tx.conn, &seal)?;
    let seqs: Vec<i64> = events.iter().map(|event| event.seq).collect();
    store::leave_queue(tx.conn, &seqs)?;
    Ok(events.len())
}
