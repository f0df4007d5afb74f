//! Confirming addresses. Before anything is written to an address, a letter with a code goes there; whoever enters the code while logged in
//! reads what comes to it. Letters about anything else wait meanwhile, for three days. An address that changes is asked anew.
//!
//! What a newcomer would get wrong: the code is stored nowhere. It is made from the account, the address, a nonce and a key that is not in the
//! database, when the letter is written and again when the code is entered.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::json;

use super::model::{Outcome, SettingsRow};
use super::settings::Settings;
use super::{CONFIRM, Notifications, store, upkeep};
use crate::accounts::{AccountId, Actor};
use crate::audit::{self, Event};
use crate::db::{At, By, Tx};
use crate::error::{Error, Result};
use crate::queue::{self, Done, Job, Task};

/// How long a code holds.
const HOLDS: TimeDelta = TimeDelta::hours(48);
/// Wrong codes before a new letter is needed.
const MOST_TRIES: i32 = 10;
/// At least so much lies between two letters to one person's addresses.
const BETWEEN: TimeDelta = TimeDelta::minutes(2);

/// `POST /v1/me/notifications/confirmation`
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AddressConfirmation, example = json!({ "code": "K7QF-M2XD" }))]
pub(super) struct Confirmation {
    /// The code in the letter. Small letters, spaces and hyphens do not matter.
    code: String,
}

impl Notifications {
    /// Enters the code of a letter.
    pub(super) async fn confirm(&self, actor: Actor, entered: Confirmation) -> Result<Settings> {
        let (room, account) = (self.clone(), actor.account.clone());
        let verdict =
            self.db.write(actor.by(), move |tx| room.confirm_in(tx, &account, &entered.code)).await?;
        verdict.map(|row| self.shown(Some(row)))
    }

    /// The outer result is of the unit of work: a wrong code is counted, and counting it must stand.
    fn confirm_in(&self, tx: &mut Tx, account: &AccountId, code: &str) -> Result<Result<SettingsRow>> {
        let row = store::settings(tx.conn, account)?;
        let Some(mut row) = row.filter(|row| row.email.is_some()) else {
            return Ok(Err(nothing_to_confirm()));
        };
        if row.confirmed_at.is_some() {
            return Ok(Ok(row));
        }
        let holds = row.confirm_until.is_some_and(|until| At::from(tx.now()) < until);
        if !holds || row.confirm_tries >= MOST_TRIES {
            return Ok(Err(code_expired()));
        }
        if !self.codes(&row).contains(&plain(code)) {
            row.confirm_tries += 1;
            store::put_settings(tx.conn, &row)?;
            return Ok(Err(code_wrong(MOST_TRIES - row.confirm_tries)));
        }
        row.confirmed_at = Some(At::from(tx.now()));
        (row.confirm_nonce, row.confirm_until, row.confirm_tries) = (None, None, 0);
        store::put_settings(tx.conn, &row)?;
        audit::record(tx, Event::new("notifications.address_confirmed", "account", account, json!({})))?;
        Ok(Ok(row))
    }

    /// Has the letter with the code sent again, with another code.
    pub(super) async fn another_letter(&self, actor: Actor) -> Result<Settings> {
        if self.mail.is_none() {
            let why = "this server sends no letters; its operator sets `mail.server`";
            return Err(Error::conflict("mail_not_set_up", why));
        }
        let (room, account) = (self.clone(), actor.account.clone());
        let row = self
            .db
            .write(actor.by(), move |tx| {
                let row = store::settings(tx.conn, &account)?;
                let row = row.filter(|row| row.email.is_some() && row.confirmed_at.is_none());
                let mut row = row.ok_or_else(nothing_to_confirm)?;
                if let Some(at) = row.letter_at.map(|at| at.utc() + BETWEEN).filter(|at| *at > tx.now()) {
                    let wait = (at - tx.now()).to_std().unwrap_or_default();
                    let why =
                        "a letter with a code was sent just now; look for it before you ask for another";
                    return Err(Error::too_many("letter_sent", why).retry_after(wait));
                }
                room.ask(tx, &mut row)?;
                store::put_settings(tx.conn, &row)?;
                Ok(row)
            })
            .await?;
        Ok(self.shown(Some(row)))
    }

    /// Decides whether the address of changed settings is known to be theirs, and has it asked if it is not.
    pub(super) fn settle_address(
        &self,
        tx: &mut Tx,
        before: Option<&SettingsRow>,
        row: &mut SettingsRow,
    ) -> Result<()> {
        row.letter_at = before.and_then(|before| before.letter_at);
        let Some(email) = &row.email else { return Ok(()) };
        if let Some(before) = before.filter(|before| before.email.as_ref() == Some(email)) {
            row.confirmed_at = before.confirmed_at;
            row.confirm_nonce = before.confirm_nonce.clone();
            (row.confirm_until, row.confirm_tries) = (before.confirm_until, before.confirm_tries);
        }
        if row.confirmed_at.is_none() && self.is_trusted(email) {
            row.confirmed_at = Some(At::from(tx.now()));
        }
        match row.confirmed_at.is_none() && row.confirm_nonce.is_none() {
            true => self.ask(tx, row),
            false => Ok(()),
        }
    }

    /// Has a letter with a new code sent. A server without mail sends none: the address stays unconfirmed until one is asked for.
    fn ask(&self, tx: &mut Tx, row: &mut SettingsRow) -> Result<()> {
        if self.mail.is_none() {
            return Ok(());
        }
        // Whoever changes the address again and again sends strangers no letters: they keep their distance.
        let soonest = row.letter_at.map_or(tx.now(), |last| (last.utc() + BETWEEN).max(tx.now()));
        row.confirm_nonce = Some(tx.new_id().to_string());
        row.confirm_until = Some(At::from(soonest + HOLDS));
        row.confirm_tries = 0;
        row.letter_at = Some(At::from(soonest));
        queue::enqueue(tx, Job::new(CONFIRM, &row.account_id).at(soonest).once(&row.account_id))
    }

    fn is_trusted(&self, email: &str) -> bool {
        let domain = email.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
        self.trusted_domains.contains(&domain)
    }

    /// The codes that are right, one for each key there was.
    fn codes(&self, row: &SettingsRow) -> Vec<String> {
        let (Some(email), Some(nonce)) = (&row.email, &row.confirm_nonce) else { return Vec::new() };
        self.sealer.codes(&row.account_id, email, nonce)
    }

    /// Sends the letter with the code: one run of a job `notify.confirm`.
    pub async fn ask_address(&self, task: Task) -> Result<Done> {
        let now = self.db.now();
        let (account, at) = (task.subject.parse::<AccountId>().ok(), At::from(now));
        let row = match account {
            Some(account) => self.db.read(move |conn| store::settings(conn, &account)).await?,
            None => None,
        };
        let open =
            row.filter(|row| row.confirmed_at.is_none() && row.confirm_until.is_some_and(|until| at < until));
        let wanted = open.and_then(|row| {
            let code = self.codes(&row).into_iter().next()?;
            Some((row.email?, row.language, code, row.confirm_nonce?))
        });
        let Some((email, language, code, nonce)) = wanted else {
            return self.db.write(By::system(), move |tx| queue::finish(tx, &task)).await;
        };
        let Some(post) = &self.mail else {
            return self.db.write(By::system(), move |tx| queue::finish(tx, &task)).await;
        };
        if let Some(open_at) = self.gate.closed_until(now) {
            return self.db.write(By::system(), move |tx| queue::again(tx, &task, open_at)).await;
        }
        let letter = self.wording.confirmation(language, &shown(&code));
        // The same nonce, the same Message-ID: a letter whose answer was lost is known again.
        let outcome = post.send(&email, &letter, language, &format!("confirm:{nonce}"), now).await;
        match &outcome {
            Outcome::NoAnswer(_) => self.gate.close(now),
            Outcome::Taken | Outcome::Refused(_) => self.gate.open(),
        }
        self.db.write(By::system(), move |tx| settle(tx, &task, &outcome, now)).await
    }
}

/// What was taken, and what is refused, is done with: whoever mistyped an address asks for another letter. What nobody answered is tried again.
fn settle(tx: &mut Tx, task: &Task, outcome: &Outcome, now: DateTime<Utc>) -> Result<Done> {
    match outcome {
        Outcome::Taken | Outcome::Refused(_) => queue::finish(tx, task),
        Outcome::NoAnswer(_) => {
            let wait = upkeep::wait_after(4, tx.new_id());
            queue::again(tx, task, now + wait)
        }
    }
}

/// A code as it was made: capitals and digits only.
fn plain(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).take(64).map(|c| c.to_ascii_uppercase()).collect()
}

/// A code as it is read.
fn shown(code: &str) -> String {
    let (one, other) = code.split_at(code.len() / 2);
    format!("{one}-{other}")
}

fn nothing_to_confirm() -> Error {
    let why = "there is no address of yours to confirm; set one with PUT /v1/me/notifications";
    Error::conflict("nothing_to_confirm", why)
}

fn code_expired() -> Error {
    let why = "this code holds no longer; POST /v1/me/notifications/letter sends another";
    Error::invalid("code_expired", why)
}

fn code_wrong(left: i32) -> Error {
    let why = format!("that is not the code in the letter sent last; it can be tried {left} times more");
    Error::invalid("code_wrong", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_known_however_it_is_typed() {
        for typed in ["K7QF-M2XD", "k7qf m2xd", " K7QFM2XD\n", "k7-qf-m2-xd"] {
            assert_eq!(plain(typed), "K7QFM2XD");
        }
        assert_eq!(shown("K7QFM2XD"), "K7QF-M2XD");
    }
}
