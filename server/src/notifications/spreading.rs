//! Telling everybody: the handler of `notify` jobs. It finds out who is meant at this moment, how each wants to be told
//! and which programs asked for it, and writes it all into the outbox in the unit of work that ends the job. So a job
//! that runs again tells nobody twice, and one that dies half-way told nobody yet.

use chrono::{DateTime, Days, Duration, NaiveTime, Utc};

use super::event::{Event, is_operations};
use super::model::{Channel, Delivery, Notice, Rhythm, SettingsRow};
use super::{MAIL, Notifications, WEBHOOK, store, upkeep, webhooks, wording};
use crate::accounts::{self, AccountId};
use crate::db::{At, By, Tx};
use crate::error::Result;
use crate::queue::{self, Done, Job, Task};

/// How long a notice waits for an earlier one about the same thing that is being told at this moment.
const TURN: Duration = Duration::seconds(1);

impl Notifications {
    /// Tells everybody of what happened: one run of a job `notify`.
    pub async fn spread(&self, task: Task) -> Result<Done> {
        let event = Event::read(&task)?;
        let room = self.clone();
        self.db.write(By::system(), move |tx| room.spread_in(tx, &task, &event)).await
    }

    fn spread_in(&self, tx: &mut Tx, task: &Task, event: &Event) -> Result<Done> {
        if queue::has_earlier(tx.conn, task)? {
            let later = tx.now() + TURN;
            return queue::again(tx, task, later);
        }
        if !store::is_told(tx.conn, &event.key)? {
            self.tell(tx, task, event)?;
        }
        queue::finish(tx, task)
    }

    fn tell(&self, tx: &mut Tx, task: &Task, event: &Event) -> Result<()> {
        let people = meant(tx, event)?;
        let notice = notice(tx, task, event, people.len())?;
        store::add_notice(tx.conn, &notice)?;
        if people.is_empty() && event.urgent && !is_operations(&event.kind) {
            upkeep::unheard(tx, &notice)?;
        }
        self.write_letters(tx, &notice, &people)?;
        if !is_operations(&event.kind) {
            call_programs(tx, &notice)?;
        }
        metrics::counter!("nigran_notices_total", "kind" => event.kind.clone()).increment(1);
        Ok(())
    }

    /// A letter to everybody who wants one, or a line in the next digest.
    fn write_letters(&self, tx: &mut Tx, notice: &Notice, people: &[AccountId]) -> Result<()> {
        if self.mail.is_none() {
            return Ok(());
        }
        let mut letters = Vec::new();
        for settings in store::settings_of(tx.conn, people)? {
            let Some(at) = time_for(&settings, notice.urgent, tx.now()) else { continue };
            let id = tx.new_id().into();
            let mut letter = Delivery::of(notice, id, Channel::Mail, &settings.account_id, At::from(at));
            if at > tx.now() {
                letter.bundle = format!("digest:{}:{}", settings.account_id, letter.due_at.micros());
            }
            queue::enqueue(tx, Job::new(MAIL, &letter.bundle).at(at).once(&letter.bundle))?;
            letters.push(letter);
        }
        store::add(tx.conn, &letters).map(drop)
    }
}

/// Everybody who is meant, once.
fn meant(tx: &mut Tx, event: &Event) -> Result<Vec<AccountId>> {
    let mut people = Vec::new();
    for described in &event.people {
        people.extend(accounts::people(tx.conn, described)?);
    }
    people.sort();
    people.dedup();
    Ok(people)
}

fn notice(tx: &mut Tx, task: &Task, event: &Event, people: usize) -> Result<Notice> {
    Ok(Notice {
        id: tx.new_id().into(),
        event: event.key.clone(),
        kind: event.kind.clone(),
        n: store::next_number(tx.conn, &event.subject)?,
        subject: event.subject.clone(),
        code: event.code.clone(),
        link: event.link.clone(),
        unit: event.unit.clone(),
        urgent: event.urgent,
        line: event.line,
        province: event.area.province.clone(),
        division: event.area.division.clone(),
        district: event.area.district.clone(),
        occurred_at: At::from(task.created_at),
        noted_at: At::from(tx.now()),
        people: i32::try_from(people).unwrap_or(i32::MAX),
    })
}

/// Leaves a call behind for every program that asked for such notices.
fn call_programs(tx: &mut Tx, notice: &Notice) -> Result<()> {
    let mut calls = Vec::new();
    for webhook in webhooks::that_want(tx.conn, notice)? {
        let id = tx.new_id().into();
        calls.push(Delivery::of(notice, id, Channel::Webhook, webhook.as_str(), notice.noted_at));
        queue::enqueue_sooner(tx, Job::new(WEBHOOK, webhook.as_str()).once(webhook.as_str()))?;
    }
    store::add(tx.conn, &calls).map(drop)
}

/// When somebody is written to; none: never.
fn time_for(settings: &SettingsRow, urgent: bool, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    settings.email.as_ref()?;
    match settings.rhythm {
        _ if urgent => Some(now),
        Rhythm::Immediately => Some(now),
        Rhythm::Daily => Some(next_at(settings.hour, now)),
        Rhythm::UrgentOnly => None,
    }
}

/// The next time it is this hour in Pakistan.
fn next_at(hour: i32, now: DateTime<Utc>) -> DateTime<Utc> {
    let local = wording::local(now);
    let hour =
        u32::try_from(hour).ok().and_then(|hour| NaiveTime::from_hms_opt(hour, 0, 0)).unwrap_or_default();
    let on = |days: u64| {
        let day = local.date_naive().checked_add_days(Days::new(days))?;
        let at = day.and_time(hour).and_local_timezone(*local.offset()).single()?;
        Some(at.with_timezone(&Utc))
    };
    on(0).filter(|at| *at > now).or_else(|| on(1)).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notifications::model::Language;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn settings(rhythm: Rhythm) -> SettingsRow {
        SettingsRow {
            account_id: "a".into(),
            email: Some("a@example.org".into()),
            rhythm,
            hour: 8,
            language: Language::En,
            changed_at: At::from_micros(0),
            confirmed_at: Some(At::from_micros(0)),
            confirm_nonce: None,
            confirm_until: None,
            confirm_tries: 0,
            letter_at: None,
        }
    }

    #[test]
    fn the_hour_is_that_of_pakistan() {
        // 17:00 in Quetta: eight o'clock is tomorrow, 03:00 UTC.
        assert_eq!(next_at(8, at("2026-11-20T12:00:00Z")), at("2026-11-21T03:00:00Z"));
        assert_eq!(next_at(18, at("2026-11-20T12:00:00Z")), at("2026-11-20T13:00:00Z"));
        // On the stroke it is the next day's: what is told now came after the letter.
        assert_eq!(next_at(8, at("2026-11-20T03:00:00Z")), at("2026-11-21T03:00:00Z"));
        // Half past midnight in Quetta is still yesterday in UTC.
        assert_eq!(next_at(1, at("2026-11-19T19:30:00Z")), at("2026-11-19T20:00:00Z"));
    }

    #[test]
    fn what_is_urgent_is_told_at_once_whatever_was_chosen() {
        let now = at("2026-11-20T12:00:00Z");
        for rhythm in Rhythm::ALL {
            assert_eq!(time_for(&settings(*rhythm), true, now), Some(now), "{rhythm}");
        }
        assert_eq!(time_for(&settings(Rhythm::UrgentOnly), false, now), None);
        assert_eq!(time_for(&settings(Rhythm::Daily), false, now), Some(at("2026-11-21T03:00:00Z")));
        assert_eq!(time_for(&SettingsRow { email: None, ..settings(Rhythm::Immediately) }, true, now), None);
    }
}
