//! Accounts: who people are, how they prove it, and what they may do. Passwords and sessions, signing keys, the device
//! registry, the permission table. Every other room asks here: it takes an [`Actor`] and asks what that person may.

mod acting;
mod actor;
mod administration;
mod audience;
pub mod bootstrap;
mod cache;
mod checks;
pub mod command_line;
mod installation;
mod keys;
mod model;
pub mod operations;
mod passwords;
mod permissions;
mod recognition;
mod requests;
pub mod routes;
mod sessions;
mod store;
mod throttle;
mod tokens;
mod units;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

pub use acting::Acting;
pub use actor::Actor;
pub use audience::{People, people};
pub use model::{Account, AccountId, AccountStatus, Device, Line, NewDevice, Role, SessionId};
pub use passwords::random_password;
pub use permissions::{Kind, OWN_SENSITIVE_DAYS, Permission, Post, Reach, Scope};
pub use requests::{AccountChange, Created, NewAccount, NewPassword};
pub use sessions::{Login, REFRESH_DAYS, Refresh, TokenPair, sweep};
pub use tokens::{ACCESS_SECONDS, Claims, Tokens, shortened, verify_with_jwks, whole};
pub use units::{Unit, units};

use serde::Serialize;

use crate::clock::Clock;
use crate::db::{By, Db, DbConn, Tx};
use crate::error::{Error, Result};
use passwords::Passwords;
use recognition::Recognition;
use throttle::Throttle;

/// The room's service; clones share it.
#[derive(Clone)]
pub struct Accounts {
    db: Db,
    clock: Clock,
    tokens: Tokens,
    room: Arc<Room>,
}

struct Room {
    passwords: Passwords,
    throttle: Throttle,
    recognition: Recognition,
}

/// The account with this id; none: there is none. For rooms that hand work to people.
pub fn account(conn: &mut DbConn, id: &AccountId) -> Result<Option<Account>> {
    administration::with_areas(conn, id)
}

impl Account {
    /// The column of the permission table that applies.
    pub fn post(&self) -> Option<Post> {
        Post::of(self.role, self.line, self.chair)
    }
}

impl Accounts {
    /// Opens the room over a database and the folder of the signing keys, which gets its first key if it has none.
    pub fn open(db: Db, clock: Clock, keys: &Path) -> Result<Accounts> {
        installation::expect_keys(&db, keys)?;
        let tokens = Tokens::open(keys, clock.clone())?;
        let room = Room {
            passwords: Passwords::new(),
            throttle: Throttle::new(clock.clone()),
            recognition: Recognition::new(),
        };
        Ok(Accounts { db, clock, tokens, room: Arc::new(room) })
    }

    /// The signing keys.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Signs `payload` as a statement of the sort `typ`, to be verified with [`verify_with_jwks`].
    pub fn sign(&self, payload: &impl Serialize, typ: &str) -> Result<String> {
        self.tokens.sign(payload, typ)
    }

    /// Writes, and then forgets what this process believed. On a task of its own: a caller who goes away in between
    /// must not leave us believing what is no longer so.
    async fn write_and_forget<T, F, G>(&self, by: By, unit: F, forget: G) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx) -> Result<T> + Send + 'static,
        G: FnOnce(&Recognition, &T) + Send + 'static,
    {
        let accounts = self.clone();
        let writing = tokio::spawn(async move {
            let done = accounts.db.write(by, unit).await?;
            forget(&accounts.room.recognition, &done);
            Ok(done)
        });
        writing.await.map_err(|cause| Error::internal("writing", cause))?
    }
}
