//! Answers first: each submission that waits is sent, the gravest first, together where many wait. Whatever comes back
//! moves it through the state machine; what does not come back leaves it where it was, to be sent again to the letter.

use std::cmp::Reverse;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

use super::answer::{Hindrance, Said};
use super::machine::Event;
use super::model::{Item, Problem, Proof, Way};
use super::phone::{Gone, Phone};
use super::rules;
use super::wire::Ask;
use crate::error::Error;

/// Bytes of packed envelopes that go in one batch: what a slow link carries in some seconds.
const BATCH_BYTES: usize = 24 * 1024;
/// Submissions in one batch.
const BATCH_ITEMS: usize = 50;

impl Phone {
    /// Sends the answers of everything that is due.
    pub(super) async fn send_answers(&mut self) -> Result<(), Gone> {
        let mut due = self.due_answers();
        while due.len() >= self.settings.batch_from.max(2) {
            let batch: Vec<Uuid> = self.first_that_fit(&due);
            due.retain(|id| !batch.contains(id));
            if !self.send_together(&batch).await? {
                due.extend(batch);
                break;
            }
        }
        for id in due {
            self.send_one(id).await?;
        }
        Ok(())
    }

    /// What waits, the gravest findings first, then the oldest visits.
    fn due_answers(&self) -> Vec<Uuid> {
        let mut due: Vec<&Item> = self
            .items()
            .filter(|item| item.state.wants_sending() && self.not_before(item).is_zero())
            .collect();
        let urgent = |item: &Item| item.judged.as_ref().is_some_and(|judged| judged.urgent);
        due.sort_by_key(|item| (Reverse(urgent(item)), item.visit.finished_at, item.id));
        due.into_iter().map(|item| item.id).collect()
    }

    async fn send_one(&mut self, id: Uuid) -> Result<(), Gone> {
        let Some(item) = self.moved(id, Event::Send)? else { return Ok(()) };
        let body = item.envelope.as_deref().unwrap_or_default();
        let mut ask = Ask::new(Method::PUT, format!("/v1/submissions/{id}"))
            .packed("application/json", body.as_bytes())
            .answer_packed();
        if let Some(hash) = &item.if_match {
            ask = ask.header("if-match", format!("\"{hash}\""));
        }
        let weight = ask.body.len() as u64;
        let said = match self.ask(ask).await {
            Ok(reply) => reply.said(),
            Err(hindrance) => Err(hindrance),
        };
        match said {
            Ok(said) => self.answered(item, said, weight).await,
            Err(hindrance) => self.not_answered(item, hindrance),
        }
    }

    /// What the server said of one submission.
    pub(super) async fn answered(&mut self, item: Item, said: Said, weight: u64) -> Result<(), Gone> {
        let event = match &said {
            Said::Yes(202, _) => Event::Quarantine,
            Said::Yes(..) => Event::Receipt,
            Said::No(problem) if problem.status == 409 || problem.status == 412 => Event::OtherContent,
            Said::No(_) => Event::Refuse,
        };
        match said {
            Said::Yes(_, receipt) => self.receipted(item, event, &receipt, weight).await,
            Said::No(problem) => Ok(self.refused(item, event, problem)?),
        }
    }

    async fn receipted(
        &mut self,
        mut item: Item,
        event: Event,
        receipt: &Value,
        weight: u64,
    ) -> Result<(), Gone> {
        let text = |member: &str| receipt.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
        if !self.proves(&item, &text("receipt")).await? {
            let why = "the receipt is not the server's".to_owned();
            return self.not_answered(item, Hindrance::Faulty { why, after: None });
        }
        let flags = receipt.get("flags").and_then(Value::as_array).into_iter().flatten();
        item.proof = Some(Proof {
            receipt: text("receipt"),
            revision: receipt.get("revision").and_then(Value::as_i64),
            received_at: text("received_at"),
            verdict: text("verdict"),
            flags: flags.filter_map(|flag| flag.get("code")?.as_str()).map(str::to_owned).collect(),
        });
        if event == Event::Receipt {
            item.agreement = self.agreement(&item, receipt);
        }
        note_what_is_there(&mut item, receipt);
        item.problem = None;
        (item.failures, item.not_before) = (0, None);
        item.state = item.state.after(event).unwrap_or(item.state);
        if item.has_all_photos_there() {
            item.state = item.state.after(Event::LastPhoto).unwrap_or(item.state);
        }
        self.tally.filed += 1;
        self.tally.needed += weight;
        self.progress();
        Ok(self.queue.put(item)?)
    }

    fn agreement(&self, item: &Item, receipt: &Value) -> Option<rules::Agreement> {
        let held = self.release_of(&item.visit).ok();
        let user = self.user.clone().unwrap_or_default();
        let mine = item.judged.as_ref()?;
        Some(rules::compare(held.as_deref(), &item.visit, &user, mine, receipt))
    }

    fn refused(&mut self, mut item: Item, event: Event, problem: Problem) -> Result<(), Error> {
        item.problem = Some(problem);
        item.state = item.state.after(event).unwrap_or(item.state);
        self.progress();
        self.queue.put(item)
    }

    /// No answer for this one. A fault of its own delays it alone; anything else ends the pass.
    pub(super) fn not_answered(&mut self, mut item: Item, hindrance: Hindrance) -> Result<(), Gone> {
        item.state = item.state.after(Event::NoAnswer).unwrap_or(item.state);
        let Hindrance::Faulty { after, why } = hindrance else {
            self.queue.put(item)?;
            return Err(hindrance.into());
        };
        self.delay(item, after, why)?;
        Ok(())
    }

    /// Not to be tried again for a while, and longer each time.
    pub(super) fn delay(
        &mut self,
        mut item: Item,
        after: Option<Duration>,
        why: String,
    ) -> Result<(), Error> {
        self.trouble = Some(why);
        item.failures += 1;
        self.tally.retried += 1;
        let wait = self.settings.backoff.after(item.failures, after, &mut self.chance);
        item.not_before = Some(self.now() + wait);
        self.queue.put(item)
    }

    /// The item in its next state, written down; none: the event does not happen to it.
    fn moved(&mut self, id: Uuid, event: Event) -> Result<Option<Item>, Error> {
        let Some(mut item) = self.queue.item(id).cloned() else { return Ok(None) };
        // One that was being sent when the phone died is sent again.
        if item.state == super::State::Sending && event == Event::Send {
            return Ok(Some(item));
        }
        let Some(next) = item.state.after(event) else { return Ok(None) };
        item.state = next;
        self.queue.put(item.clone())?;
        Ok(Some(item))
    }

    /// As many as fit into one batch.
    fn first_that_fit(&self, due: &[Uuid]) -> Vec<Uuid> {
        let mut bytes = 0;
        let mut batch = Vec::new();
        for item in due.iter().filter_map(|id| self.item(*id)) {
            // Envelopes pack to a quarter of their size or less.
            bytes += item.envelope.as_ref().map_or(0, String::len) / 4;
            if !batch.is_empty() && (bytes > BATCH_BYTES || batch.len() == BATCH_ITEMS) {
                break;
            }
            batch.push(item.id);
        }
        batch
    }

    /// Sends several together. False: this server takes no batches.
    async fn send_together(&mut self, ids: &[Uuid]) -> Result<bool, Gone> {
        let mut body = String::new();
        let mut items = Vec::new();
        for id in ids {
            let Some(item) = self.moved(*id, Event::Send)? else { continue };
            body.push_str(&line(&item));
            body.push('\n');
            items.push(item);
        }
        if items.is_empty() {
            return Ok(false);
        }
        let mut ask = Ask::new(Method::POST, "/v1/submissions/batch")
            .packed("application/x-ndjson", body.as_bytes())
            .answer_packed();
        ask.part_will_do = true;
        let weight = ask.body.len() as u64 / items.len() as u64;
        let reply = match self.ask(ask).await {
            Ok(reply) => reply,
            Err(hindrance) => {
                for item in items {
                    self.put_back(item)?;
                }
                return Err(hindrance.into());
            }
        };
        if reply.status != 200 {
            for item in items {
                self.put_back(item)?;
            }
            // 404 and 405: an older server. Anything else is met again, one by one.
            return Ok(false);
        }
        self.sort_out(items, &reply.body, weight).await?;
        match reply.whole {
            true => Ok(true),
            false => {
                self.link.tore();
                Err(Hindrance::Later { why: "the answers broke off".to_owned(), after: None }.into())
            }
        }
    }

    fn put_back(&mut self, mut item: Item) -> Result<(), Error> {
        item.state = item.state.after(Event::NoAnswer).unwrap_or(item.state);
        self.queue.put(item)
    }

    /// A line an item: a receipt or a problem. What has no line is sent again.
    async fn sort_out(&mut self, items: Vec<Item>, answer: &[u8], weight: u64) -> Result<(), Gone> {
        let lines: Vec<Value> = answer
            .split(|byte| *byte == b'\n')
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect();
        for item in items {
            let is_its = |line: &&Value| line.get("id").and_then(Value::as_str) == Some(&item.id.to_string());
            match lines.iter().find(is_its).map(verdict) {
                Some(Ok(said)) => self.answered(item, said, weight).await?,
                Some(Err(hindrance)) => self.not_answered(item, hindrance)?,
                None => self.put_back(item)?,
            }
        }
        Ok(())
    }
}

/// Photos that need not be sent: the server has them, from an earlier revision or an earlier attempt.
fn note_what_is_there(item: &mut Item, receipt: &Value) {
    let Some(missing) = receipt.get("media_missing").and_then(Value::as_array) else { return };
    if receipt.get("revision").is_none_or(Value::is_null) {
        return;
    }
    for photo in &mut item.photos {
        if !missing.iter().any(|name| name.as_str() == Some(&photo.name)) {
            photo.way = Way::Arrived;
        }
    }
}

/// A line of a batch: the envelope, with its id in front and the hash of the revision it replaces.
fn line(item: &Item) -> String {
    let envelope = item.envelope.as_deref().unwrap_or("{}");
    let members = envelope.strip_prefix('{').unwrap_or(envelope);
    let replaced = item.if_match.as_ref().map_or(String::new(), |hash| format!("\"if_match\":\"{hash}\","));
    format!("{{\"id\":\"{}\",{replaced}{members}", item.id)
}

/// What a line of a batch's answer says: what the answer to a single filing would.
fn verdict(line: &Value) -> Result<Said, Hindrance> {
    let status = line.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
    let faulty = |why: &str| Hindrance::Faulty { why: why.to_owned(), after: None };
    let status = status.ok_or_else(|| faulty("a line without a status"))?;
    if let Some(receipt) = line.get("receipt").filter(|_| status < 300) {
        return Ok(Said::Yes(status, receipt.clone()));
    }
    let problem = line.get("problem").and_then(|problem| Problem::read(status, problem));
    match problem {
        Some(problem) if status < 500 && status != 429 => Ok(Said::No(problem)),
        Some(problem) => Err(faulty(&problem.code)),
        None => Err(faulty("a line without a receipt or a problem")),
    }
}
