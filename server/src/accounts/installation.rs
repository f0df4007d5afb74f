//! The servers of one installation sign with keys all of them hold: a token or a sync cursor of one is good at the others.
//! The database knows the ids of these keys, so that a server that was given none of them is refused at its start, instead
//! of logging out every phone that happens to reach it.

use std::path::Path;

use serde_json::json;

use super::{Accounts, keys, store};
use crate::audit::{self, Event};
use crate::db::{At, By, Db, Tx};
use crate::error::{Error, Result};

/// Refuses a folder without keys where the installation has some: a key made there would be known to nobody else.
pub(super) fn expect_keys(db: &Db, folder: &Path) -> Result<()> {
    if !keys::is_empty(folder) {
        return Ok(());
    }
    match db.read_here(store::known_signing_keys)? {
        known if known.is_empty() => Ok(()),
        known => Err(foreign(&known)),
    }
}

impl Accounts {
    /// Makes sure that this server's keys are those of the installation, and registers new ones that came beside them.
    ///
    /// # Errors
    /// `signing_keys_foreign` when it holds none of the installation's keys.
    pub async fn agree_on_keys(&self) -> Result<()> {
        let mine = self.tokens.key_ids();
        self.db.write(By::system(), move |tx| agree(tx, &mine)).await
    }

    /// Registers this server's keys, whatever the installation signed with before: for whoever has lost the old ones.
    pub async fn adopt_keys(&self) -> Result<Vec<String>> {
        let mine = self.tokens.key_ids();
        self.db
            .write(By::system(), move |tx| {
                let known = store::signing_keys(tx.conn)?;
                register(tx, &mine, &known)?;
                Ok(mine.clone())
            })
            .await
    }
}

fn agree(tx: &mut Tx, mine: &[String]) -> Result<()> {
    let known = store::signing_keys(tx.conn)?;
    if known.is_empty() || mine.iter().any(|kid| known.contains(kid)) {
        return register(tx, mine, &known);
    }
    Err(foreign(&known))
}

fn foreign(known: &[String]) -> Error {
    Error::conflict(
        "signing_keys_foreign",
        format!(
            "this server has none of the keys its installation signs with ({}): copy the folder keys of another server (or of \
             a backup) in place of its own, or name a common one as keys_dir. If the old keys are lost, run nigran keys \
             adopt; everybody then logs in anew, and old receipts are checked with the public keys somebody kept",
            known.join(", ")
        ),
    )
}

fn register(tx: &mut Tx, mine: &[String], known: &[String]) -> Result<()> {
    let now = At::from(tx.now());
    for kid in mine.iter().filter(|kid| !known.contains(kid)) {
        store::register_signing_key(tx.conn, kid, now)?;
        audit::record(tx, Event::new("signing_key.registered", "signing_key", kid, json!({})))?;
    }
    Ok(())
}
