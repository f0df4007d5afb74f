//! The audit log: what was done, by whom, to what. An event is written in the transaction of the deed it tells of, and
//! a sealer chains the events by hash afterwards, so that no writer waits for the chain. An event is unsealed for
//! about a second; from then on, to alter, remove or reorder it is to break a seal.

mod model;

mod seal;
mod store;
mod verify;

pub use model::{Event, EventView, RecordedEvent, Seal};
pub use seal::{SEAL_EVERY, seal_pending};
pub use store::Wanted;
pub use verify::{Fault, Report, verify};

use crate::db::{At, DbConn, Json, Tx};
use crate::error::Result;

/// Records `event` as part of the unit of work: either both stand or neither. It is written when the unit ends.
pub fn record(tx: &mut Tx, event: Event) -> Result<()> {
    let row = model::NewEvent {
        at: At::from(tx.now()),
        account_id: tx.by.account.clone(),
        device_id: tx.by.device.clone(),
        action: event.action.to_owned(),
        subject: event.subject,
        details: Json::of(&event.details)?,
    };
    tx.later(row);
    Ok(())
}

/// The events a reader asks for, oldest first.
pub fn log(conn: &mut DbConn, wanted: &Wanted) -> Result<Vec<EventView>> {
    store::wanted(conn, wanted)?.into_iter().map(EventView::of).collect()
}

/// Whether an event waits for its seal.
pub fn has_pending(conn: &mut DbConn) -> Result<bool> {
    store::any_queued(conn)
}
