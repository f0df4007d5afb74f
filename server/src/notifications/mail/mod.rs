//! Letters. What leaves together (one notice, or a day's) is a bundle, and one job sends it. The letter's Message-ID is made
//! from the bundle: if nobody knows whether an attempt arrived, the next one can be recognised as the same letter.

mod gate;
mod post;

use chrono::{DateTime, TimeDelta, Utc};

use super::model::{Delivery, Notice, Outcome, SettingsRow, State};
use super::wording::{Letter, Words};
use super::{Notifications, store, upkeep};
use crate::accounts::{self, AccountId, People};
use crate::db::{At, By, DbConn, Tx};
use crate::error::{Error, Result};
use crate::queue::{self, Done, Task};

pub(super) use gate::Gate;
pub(super) use post::{Post, address};

/// A bundle as it is sent.
struct Bundle {
    deliveries: Vec<Delivery>,
    /// None: there is nobody to write to any more.
    letter: Option<(SettingsRow, Letter)>,
    /// The address is not known to be theirs yet.
    is_unconfirmed: bool,
}

/// How often it is looked whether an address was confirmed meanwhile.
const LOOK_AGAIN: TimeDelta = TimeDelta::minutes(10);
/// How long letters wait for that.
const PATIENCE: TimeDelta = TimeDelta::days(3);

impl Notifications {
    /// Sends a bundle of notices as one letter: one run of a job `notify.mail`.
    pub async fn write_letter(&self, task: Task) -> Result<Done> {
        let (room, bundle) = (self.clone(), task.subject.clone());
        let now = self.db.now();
        let found = self.db.read(move |conn| room.bundle(conn, &bundle, now)).await?;
        if found.deliveries.is_empty() {
            return self.db.write(By::system(), move |tx| queue::finish(tx, &task)).await;
        }
        let waits = found.deliveries.iter().any(|it| now - it.created_at.utc() < PATIENCE);
        if found.is_unconfirmed && waits {
            return self.db.write(By::system(), move |tx| queue::again(tx, &task, now + LOOK_AGAIN)).await;
        }
        let letter = found.letter.filter(|_| !found.is_unconfirmed);
        let Some((settings, letter)) = letter else {
            let dropped = found.deliveries;
            return self.db.write(By::system(), move |tx| drop_all(tx, &task, &dropped)).await;
        };
        let Some(post) = &self.mail else {
            let why = "this server has no `mail.server`, and letters wait to be sent";
            return Err(Error::unavailable("mail_not_set_up", why));
        };
        if let Some(open_at) = self.gate.closed_until(now) {
            return self.db.write(By::system(), move |tx| queue::again(tx, &task, open_at)).await;
        }
        let to = settings.email.unwrap_or_default();
        let outcome = post.send(&to, &letter, settings.language, &task.subject, now).await;
        match &outcome {
            Outcome::NoAnswer(_) => self.gate.close(now),
            Outcome::Taken | Outcome::Refused(_) => self.gate.open(),
        }
        let sent = found.deliveries;
        self.db.write(By::system(), move |tx| settle(tx, &task, &sent, &outcome)).await
    }

    fn bundle(&self, conn: &mut DbConn, bundle: &str, now: DateTime<Utc>) -> Result<Bundle> {
        let deliveries = store::pending_in(conn, bundle)?;
        let Some(first) = deliveries.first() else {
            return Ok(Bundle { deliveries, letter: None, is_unconfirmed: false });
        };
        let settings = reachable(conn, &first.recipient)?;
        let is_unconfirmed = settings.as_ref().is_some_and(|settings| settings.confirmed().is_none());
        let ids: Vec<_> = deliveries.iter().map(|delivery| delivery.notice_id.clone()).collect();
        let notices = store::notices_of(conn, &ids)?;
        let letter = settings.map(|settings| {
            let words: Vec<Words> = notices.iter().map(|notice| self.words(notice)).collect();
            let letter = match words.as_slice() {
                [one] if !bundle.starts_with("digest:") => self.wording.letter(settings.language, one),
                all => self.wording.digest(settings.language, now, all),
            };
            (settings, letter)
        });
        Ok(Bundle { deliveries, letter, is_unconfirmed })
    }

    fn words(&self, notice: &Notice) -> Words {
        Words {
            kind: notice.kind.clone(),
            code: notice.code.clone(),
            link: self.link(&notice.link),
            at: notice.occurred_at.utc(),
            unit: notice.unit.clone(),
        }
    }
}

/// How somebody is written to at this moment; none: the account is closed, or has no address.
fn reachable(conn: &mut DbConn, account: &str) -> Result<Option<SettingsRow>> {
    let Ok(id) = account.parse::<AccountId>() else { return Ok(None) };
    if accounts::people(conn, &People::Account(id.clone()))?.is_empty() {
        return Ok(None);
    }
    Ok(store::settings(conn, &id)?.filter(|settings| settings.email.is_some()))
}

fn drop_all(tx: &mut Tx, task: &Task, deliveries: &[Delivery]) -> Result<Done> {
    for delivery in deliveries {
        let mut delivery = delivery.clone();
        delivery.state = State::Dropped;
        delivery.done_at = Some(At::from(tx.now()));
        delivery.last_error = Some("the account is closed, or has no address that was confirmed".to_owned());
        store::put_back(tx.conn, &delivery)?;
    }
    upkeep::count("mail", "dropped", deliveries.len());
    queue::finish(tx, task)
}

/// Writes down what became of a letter, and when it is tried again.
fn settle(tx: &mut Tx, task: &Task, deliveries: &[Delivery], outcome: &Outcome) -> Result<Done> {
    let mut next = None;
    for delivery in deliveries {
        let mut delivery = delivery.clone();
        upkeep::note_attempt(tx, &mut delivery, outcome);
        store::put_back(tx.conn, &delivery)?;
        match delivery.state {
            State::Pending => next = next.max(Some(delivery.due_at)),
            State::Parked => upkeep::tell_of_parked(tx, &delivery)?,
            State::Sent | State::Dropped => {}
        }
    }
    match next {
        Some(at) => queue::again(tx, task, at.utc()),
        None => queue::finish(tx, task),
    }
}
