//! What `nigran account …` does, beside a running server or without one. Blocking, on behalf of nobody who is logged
//! in: the log records the system. A running server notices after two seconds at the latest (`recognition.rs`).

use super::administration::{self, chosen_or_random, no_account};
use super::model::{Account, AccountId, AccountStatus};
use super::requests::{AccountChange, Created, NewAccount};
use super::{checks, passwords, store};
use crate::db::{By, Db};
use crate::error::Result;

/// Makes an account.
pub fn create(db: &Db, new: NewAccount) -> Result<Created> {
    let new = new.checked()?;
    let (password, shown) = chosen_or_random(new.password.clone(), &new.username)?;
    let hash = passwords::hash(&password)?;
    let account = db.write_here(By::system(), move |tx| administration::create(tx, &new, &hash))?;
    Ok(Created { account, password: shown })
}

/// Disables an account; its sessions are closed.
pub fn disable(db: &Db, username: &str) -> Result<Account> {
    let id = find(db, username)?;
    let change = AccountChange { status: Some(AccountStatus::Disabled), ..AccountChange::default() };
    db.write_here(By::system(), move |tx| administration::apply(tx, &id, &change))
}

/// Gives an account a new password, a random one unless told; its sessions are closed.
pub fn reset_password(db: &Db, username: &str, password: Option<String>) -> Result<Created> {
    let id = find(db, username)?;
    let (password, shown) = chosen_or_random(password, &checks::login_name(username))?;
    let hash = passwords::hash(&password)?;
    let account =
        db.write_here(By::system(), move |tx| administration::set_password(tx, &id, &hash, None))?;
    Ok(Created { account, password: shown })
}

fn find(db: &Db, username: &str) -> Result<AccountId> {
    let name = checks::login_name(username);
    let found = db.read_here(|conn| store::by_username(conn, &name))?;
    found.map(|account| account.id).ok_or_else(|| no_account(username))
}
