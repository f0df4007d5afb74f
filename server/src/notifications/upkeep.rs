//! What becomes of attempts, whatever the channel: when something is tried again, when it is given up, and that somebody is
//! told of it. Figures for those who watch, and forgetting what has had its time.

use std::time::Duration as StdDuration;

use chrono::{Duration, TimeDelta};
use serde_json::json;
use uuid::Uuid;

use super::model::{Channel, Delivery, Notice, Outcome, State};
use super::{NOTIFY, Notifications, store};
use crate::db::{At, By, Tx, storable};
use crate::error::Result;
use crate::queue::{self, Done, Job, Task};

/// What a failed attempt waits at first; it doubles each time.
const FIRST_WAIT: i64 = 15;
/// What it waits at most.
const LONGEST_WAIT: i64 = 3600;
/// For how long something is tried before it is parked.
pub(super) const PERSEVERANCE: TimeDelta = TimeDelta::hours(72);
/// How often a mail server may say of a letter that it will never take it.
const REFUSALS: i32 = 5;
/// How much of a failure is written down.
const TOLD: usize = 200;
/// For how long it is known what was told: so far back a program can have it replayed.
const MEMORY: TimeDelta = TimeDelta::days(180);
/// How often old notices are forgotten, and how many at once.
const SWEEP_EVERY: TimeDelta = TimeDelta::hours(1);
const SWEPT: i64 = 2000;

/// Notes what became of an attempt on the delivery: it is sent, waits, or is parked.
pub(super) fn note_attempt(tx: &Tx, delivery: &mut Delivery, outcome: &Outcome) {
    let now = tx.now();
    delivery.attempts = delivery.attempts.saturating_add(1);
    let since = delivery.since.map_or(now, At::utc);
    delivery.since = Some(At::from(since));
    let (why, is_final) = match outcome {
        Outcome::Taken => {
            delivery.state = State::Sent;
            delivery.done_at = Some(At::from(now));
            delivery.last_error = None;
            count(delivery.channel.as_str(), "sent", 1);
            return;
        }
        Outcome::NoAnswer(why) => (why, false),
        Outcome::Refused(why) => (why, delivery.channel == Channel::Mail && delivery.attempts >= REFUSALS),
    };
    delivery.last_error = Some(storable(why.clone()).chars().take(TOLD).collect());
    if is_final || now - since >= PERSEVERANCE {
        delivery.state = State::Parked;
        delivery.done_at = Some(At::from(now));
        count(delivery.channel.as_str(), "parked", 1);
        tracing::error!(delivery.id = %delivery.id, delivery.channel = %delivery.channel, why,
            "delivery {} is parked", delivery.id);
        return;
    }
    delivery.due_at = At::from(now + wait_after(delivery.attempts, tx.new_id()));
    count(delivery.channel.as_str(), "failed", 1);
}

/// What is waited after this attempt, give or take a quarter. The chance comes from an id nobody has had.
pub(super) fn wait_after(attempt: i32, seed: Uuid) -> TimeDelta {
    let doubled = FIRST_WAIT.saturating_mul(1 << (attempt - 1).clamp(0, 16)).min(LONGEST_WAIT);
    let mixed = (seed.as_u128() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54;
    TimeDelta::milliseconds(doubled * 750 + doubled * (mixed as i64) / 2)
}

/// Tells administrators that something was given up: of each webhook once a day, and of letters once a day.
pub(super) fn tell_of_parked(tx: &mut Tx, delivery: &Delivery) -> Result<()> {
    let whose = match delivery.channel {
        Channel::Mail => "mail",
        Channel::Webhook => delivery.recipient.as_str(),
    };
    let key = format!("operations.parked:{whose}:{}", tx.now().date_naive());
    tell_admins(tx, "operations.parked", &format!("deliveries:{whose}"), "/v1/deliveries?state=parked", key)
}

/// Tells administrators that an urgent notice reached nobody.
pub(super) fn unheard(tx: &mut Tx, notice: &Notice) -> Result<()> {
    tracing::error!(notice.kind = notice.kind, "an urgent notice is meant for nobody who has an account");
    let key = format!("operations.unheard:{}", notice.event);
    tell_admins(tx, "operations.unheard", &notice.subject, "/v1/accounts", key)
}

/// Leaves a notice to the administrators behind, like any room does.
pub(super) fn tell_admins(
    tx: &mut Tx,
    template: &'static str,
    subject: &str,
    link: &str,
    key: String,
) -> Result<()> {
    let details = json!({ "template": template, "link": link, "audience": [{ "role": "admin" }] });
    queue::enqueue(tx, Job::new(NOTIFY, subject).with(details).once(key))
}

/// Counts what became of deliveries.
pub(super) fn count(channel: &'static str, outcome: &'static str, how_many: usize) {
    metrics::counter!("nigran_deliveries_total", "channel" => channel, "outcome" => outcome)
        .increment(how_many as u64);
}

impl Notifications {
    /// Sets the figures of the outbox: what waits, what is parked, and for how long the oldest has been due.
    pub async fn measure(&self) -> Result<()> {
        let now = self.db.now();
        let (tally, oldest) = self
            .db
            .read(move |conn| {
                let tally = store::tally(conn, &[State::Pending, State::Parked])?;
                let oldest = [Channel::Mail, Channel::Webhook]
                    .into_iter()
                    .map(|channel| Ok((channel, store::oldest_due(conn, channel, At::from(now))?)))
                    .collect::<Result<Vec<_>>>()?;
                Ok((tally, oldest))
            })
            .await?;
        for channel in Channel::ALL {
            for state in [State::Pending, State::Parked] {
                let standing = tally.iter().find(|it| (it.0, it.1) == (state, *channel)).map_or(0, |it| it.2);
                metrics::gauge!("nigran_deliveries", "channel" => channel.as_str(), "state" => state.as_str())
                    .set(standing as f64);
            }
        }
        for (channel, since) in oldest {
            let age = since.map_or(StdDuration::ZERO, |at| (now - at.utc()).to_std().unwrap_or_default());
            metrics::gauge!("nigran_deliveries_oldest_seconds", "channel" => channel.as_str())
                .set(age.as_secs_f64());
        }
        Ok(())
    }

    /// Forgets notices that are older than anybody asks for: one run of the job `notify.sweep`.
    pub async fn sweep(&self, task: Task) -> Result<Done> {
        self.db
            .write(By::system(), move |tx| {
                let forgotten = store::forget(tx.conn, At::from(tx.now() - MEMORY), SWEPT)?;
                let wait = if forgotten as i64 == SWEPT { Duration::seconds(5) } else { SWEEP_EVERY };
                let next = tx.now() + wait;
                queue::again(tx, &task, next)
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_about_twice_the_one_before_and_none_is_longer_than_an_hour_and_a_quarter() {
        for (attempt, about) in [(1, 15.0), (2, 30.0), (5, 240.0), (9, 3600.0), (i32::MAX, 3600.0)] {
            for _ in 0..100 {
                let seconds = wait_after(attempt, Uuid::now_v7()).num_milliseconds() as f64 / 1000.0;
                assert!((about * 0.74..=about * 1.27).contains(&seconds), "{attempt}: {seconds}");
            }
        }
    }
}
