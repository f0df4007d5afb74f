//! Sending: the handler of `notify.webhook`. One job a webhook: of each subject the first notice that is not sent yet
//! goes out, several subjects at once; what became of them is written down together, and the job runs again for the
//! rest. A webhook that does not answer is left alone for longer each time, and holds up nobody but itself.

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;

use super::caller::Answer;
use super::model::{Webhook, WebhookId};
use super::store as webhooks;
use crate::audit::{self, Event};
use crate::db::{At, By, Tx};
use crate::error::Result;
use crate::notifications::model::{Delivery, Notice, Outcome, State};
use crate::notifications::{Notifications, store, upkeep};
use crate::queue::{self, Done, Task};

/// Calls of one run, and how many of them at once.
const BATCH: i64 = 32;
const AT_ONCE: usize = 4;

/// How long it looks for nothing at most.
const LOOK_AGAIN: TimeDelta = TimeDelta::minutes(5);

/// What waits while a webhook is switched off says so, and goes on when it is switched on.
pub(super) const SWITCHED_OFF: &str = "the webhook is switched off";

/// Everything a run needs.
struct Round {
    webhook: Webhook,
    /// None: it was sealed with a key this server does not have.
    secrets: Vec<String>,
    calls: Vec<(Delivery, Notice)>,
}

/// A delivery after its call.
struct Called {
    delivery: Delivery,
    answer: Answer,
}

impl Notifications {
    /// Makes the calls of a webhook that can be made now: one run of a job `notify.webhook`.
    pub async fn call_webhook(&self, task: Task) -> Result<Done> {
        let Ok(id) = task.subject.parse::<WebhookId>() else {
            return self.db.write(By::system(), move |tx| queue::finish(tx, &task)).await;
        };
        let called = match self.round(&id).await? {
            Some(round) => self.make_calls(round).await?,
            None => Vec::new(),
        };
        self.db.write(By::system(), move |tx| settle(tx, &task, &id, &called)).await
    }

    /// What can be sent now; none: nothing can.
    async fn round(&self, id: &WebhookId) -> Result<Option<Round>> {
        let (room, id, now) = (self.clone(), id.clone(), At::from(self.db.now()));
        self.db
            .read(move |conn| {
                let Some(webhook) = webhooks::webhook(conn, &id)?.filter(|it| it.is_open(now)) else {
                    return Ok(None);
                };
                // One call to find out whether it answers again is enough.
                let limit = if webhook.failures > 0 { 1 } else { BATCH };
                let heads = store::heads(conn, id.as_str(), now, limit)?;
                let ids: Vec<_> = heads.iter().map(|head| head.notice_id.clone()).collect();
                let notices = store::notices_of(conn, &ids)?;
                let notice = |id| notices.iter().find(|notice| notice.id == id).cloned();
                let calls = heads
                    .into_iter()
                    .filter_map(|head| notice(head.notice_id.clone()).map(|notice| (head, notice)))
                    .collect();
                let open = |sealed: &str| room.sealer.open(sealed, &webhook.id);
                let secrets = match open(&webhook.secret) {
                    Some(_) => webhook.secrets(now).filter_map(open).collect(),
                    None => Vec::new(),
                };
                Ok(Some(Round { webhook, secrets, calls }))
            })
            .await
    }

    async fn make_calls(&self, round: Round) -> Result<Vec<Called>> {
        let Round { webhook, secrets, calls } = round;
        let now = self.db.now();
        let mut called = Vec::with_capacity(calls.len());
        for some in calls.chunks(AT_ONCE) {
            let calling = some.iter().map(|(_, notice)| self.call(&webhook.url, &secrets, notice, now));
            let answers = join_all(calling).await.into_iter().collect::<Result<Vec<Answer>>>()?;
            let is_silent = answers.iter().all(Answer::is_none);
            let delivered = some.iter().map(|(delivery, _)| delivery.clone());
            called.extend(delivered.zip(answers).map(|(delivery, answer)| Called { delivery, answer }));
            // Whoever does not answer at all is not asked the rest as well.
            if is_silent {
                break;
            }
        }
        Ok(called)
    }

    async fn call(
        &self,
        url: &str,
        secrets: &[String],
        notice: &Notice,
        now: DateTime<Utc>,
    ) -> Result<Answer> {
        if secrets.is_empty() {
            let why = "its secret was sealed with a key this server does not have; give it a new one";
            return Ok(Answer { outcome: Outcome::Refused(why.to_owned()), is_gone: false });
        }
        self.caller.call(url, secrets, notice, &self.link(&notice.link), now).await
    }
}

impl Webhook {
    /// Whether it may be called now.
    fn is_open(&self, now: At) -> bool {
        self.enabled && self.resume_at.is_none_or(|at| at <= now)
    }
}

/// Writes down what became of the calls and how the webhook is, and has the job run again for what is left.
fn settle(tx: &mut Tx, task: &Task, id: &WebhookId, called: &[Called]) -> Result<Done> {
    for Called { delivery, answer } in called {
        let mut delivery = delivery.clone();
        upkeep::note_attempt(tx, &mut delivery, &answer.outcome);
        store::put_back(tx.conn, &delivery)?;
        if delivery.state == State::Parked {
            upkeep::tell_of_parked(tx, &delivery)?;
        }
    }
    let Some(mut webhook) = webhooks::webhook(tx.conn, id)?.filter(|webhook| webhook.enabled) else {
        return queue::finish(tx, task);
    };
    if !called.is_empty() {
        note_health(tx, &mut webhook, called);
        webhooks::note_health(tx.conn, &webhook)?;
        if let Some(why) = too_ill(tx.now(), &webhook, called) {
            switch_off(tx, webhook, why)?;
            return queue::finish(tx, task);
        }
    }
    match store::next_head(tx.conn, id.as_str())? {
        Some(at) => {
            let at = webhook.resume_at.map_or(at, |resume_at| at.max(resume_at));
            // Of two processes one may add what the other has just looked for; neither has to wait longer for it.
            let at = at.utc().clamp(tx.now(), tx.now() + LOOK_AGAIN);
            queue::again(tx, task, at)
        }
        None => queue::finish(tx, task),
    }
}

/// What comes through shows that it is well; an answer, whatever it says, that it is there. Only where nobody answers is
/// it left alone for a while.
fn note_health(tx: &Tx, webhook: &mut Webhook, called: &[Called]) {
    let now = At::from(tx.now());
    if called.iter().any(|it| it.answer.outcome == Outcome::Taken) {
        return webhook.came_through();
    }
    webhook.failing_since = webhook.failing_since.or(Some(now));
    let is_silent = called.iter().all(|it| it.answer.is_none());
    (webhook.failures, webhook.resume_at) = match is_silent {
        true => {
            let failures = webhook.failures.saturating_add(1);
            (failures, Some(At::from(tx.now() + upkeep::wait_after(failures, tx.new_id()))))
        }
        false => (0, None),
    };
}

/// Why a webhook is to be switched off, if it is.
fn too_ill(now: DateTime<Utc>, webhook: &Webhook, called: &[Called]) -> Option<&'static str> {
    if called.iter().any(|it| it.answer.is_gone) {
        return Some("it answered 410: it wants no more calls");
    }
    let since = webhook.failing_since?.utc();
    (now - since >= upkeep::PERSEVERANCE).then_some("nothing came through for three days")
}

fn switch_off(tx: &mut Tx, mut webhook: Webhook, why: &str) -> Result<()> {
    let now = At::from(tx.now());
    webhook.enabled = false;
    webhook.disabled_because = Some(why.to_owned());
    webhook.changed_at = now;
    webhooks::update(tx.conn, &webhook)?;
    let id = webhook.id.as_str();
    store::move_all(tx.conn, id, (State::Pending, None), (State::Parked, Some(SWITCHED_OFF)), now)?;
    let details = serde_json::json!({ "because": why });
    audit::record(tx, Event::new("webhook.switched_off", "webhook", id, details))?;
    tracing::error!(webhook.id = id, why, "webhook {id} is switched off");
    let key = format!("operations.webhook_disabled:{id}:{}", now.micros());
    let (subject, link) = (format!("webhook:{id}"), format!("/v1/webhooks/{id}"));
    upkeep::tell_admins(tx, "operations.webhook_disabled", &subject, &link, key)
}
