//! Sync: what a phone asks when it has a signal, "what changed for me?". The answer is small, comes in pages, and can
//! be asked again: a page carries what things are now, never what was done to them, so that reading it twice does no
//! harm. All the server remembers of a phone stands in the phone's own cursor, which only the server can write.

mod cursor;
mod model;
mod packages;
mod parts;
mod reading;
mod routes;

use std::sync::Arc;

pub(crate) use routes::routes;

use crate::accounts::Accounts;
use crate::clock::Clock;
use crate::db::Db;
use crate::feed::Feed;
use crate::forms::Forms;
use cursor::Seal;
use packages::Contents;

/// The room's service; clones share it.
#[derive(Clone)]
pub struct Sync {
    db: Db,
    feed: Feed,
    forms: Forms,
    clock: Clock,
    seal: Arc<Seal>,
    contents: Contents,
}

impl Sync {
    /// The service over these.
    pub fn new(db: Db, feed: Feed, forms: Forms, accounts: &Accounts, clock: Clock) -> Sync {
        let seal = Arc::new(Seal::new(&accounts.tokens().secrets("sync cursor")));
        Sync { db, feed, forms, clock, seal, contents: Contents::default() }
    }
}
