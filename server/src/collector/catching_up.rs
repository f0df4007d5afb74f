//! Sync: what changed for this phone. The cursor is written down after what came with it, so that a phone that dies in
//! between asks for the same page again, which does no harm. What the server has, the phone need not send; what a reviewer
//! sent back, waits for the inspector.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::machine::{Event, State};
use super::model::{Item, Proof, Way};
use super::phone::{Gone, Phone};
use super::rules;
use super::wire::Ask;
use crate::error::{Error, Result};

const FILE: &str = "sync.json";
/// No sync has more pages than this: a server that goes on for ever is not ours.
const PAGES: usize = 10_000;

/// How far the phone has caught up.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Standing {
    cursor: Option<String>,
    tag: Option<String>,
}

/// What a sync brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CaughtUp {
    /// Pages that were fetched; none: nothing had changed.
    pub pages: usize,
    /// Submissions the server told of.
    pub receipts: usize,
    /// Of these, those that were sent back.
    pub returned: usize,
    /// Releases fetched.
    pub releases: usize,
}

impl Phone {
    /// Asks what changed, page by page, and takes it in.
    ///
    /// # Errors
    /// What hindered it. What had come by then is taken in.
    pub async fn sync(&mut self) -> Result<CaughtUp> {
        self.catch_up().await.map_err(Gone::into_error)
    }

    pub(super) async fn catch_up(&mut self) -> Result<CaughtUp, Gone> {
        let mut standing: Standing = self.queue.read(FILE)?.unwrap_or_default();
        let mut caught_up = CaughtUp::default();
        for _ in 0..PAGES {
            let path = match &standing.cursor {
                None => "/v1/sync".to_owned(),
                Some(cursor) => format!("/v1/sync?cursor={cursor}"),
            };
            let mut ask = Ask::new(Method::GET, path).answer_packed();
            if let Some(tag) = &standing.tag {
                ask = ask.header("if-none-match", tag.clone());
            }
            let reply = self.ask(ask).await?;
            if reply.status == 304 {
                break;
            }
            if reply.problem().is_some_and(|problem| problem.code == "cursor_unknown")
                && standing.cursor.is_some()
            {
                // The server cannot read it any more: a whole new picture, which the phone's own items outlive.
                standing = Standing::default();
                continue;
            }
            let page = self.read_page(&reply)?;
            self.take_in(&page, &mut caught_up).await?;
            let more = page.get("more").and_then(Value::as_bool).unwrap_or_default();
            standing.cursor = page.get("cursor").and_then(Value::as_str).map(str::to_owned);
            standing.tag = reply.header("etag").map(str::to_owned);
            self.queue.write(FILE, &standing)?;
            caught_up.pages += 1;
            if !more {
                break;
            }
        }
        Ok(caught_up)
    }

    async fn take_in(&mut self, page: &Map<String, Value>, caught_up: &mut CaughtUp) -> Result<(), Gone> {
        let list = |member: &str| page.get(member).and_then(Value::as_array).cloned().unwrap_or_default();
        if let Some(codes) = page.get("areas").and_then(|areas| areas.get("codes")) {
            self.now_works_in(codes)?;
        }
        for release in list("withdrawn") {
            let (form, version) = release_of(&release);
            self.is_withdrawn(form, version)?;
        }
        for release in list("releases") {
            caught_up.releases += usize::from(self.fetch_release(&release).await?);
            let (form, version) = release_of(&release);
            self.is_given(form, Some(version))?;
        }
        for receipt in list("receipts") {
            caught_up.receipts += 1;
            self.heard_of(&receipt).await?;
        }
        for returned in list("returned") {
            caught_up.returned += usize::from(self.sent_back(&returned)?);
        }
        Ok(())
    }

    /// Rules may ask who fills a form in, and where that person works.
    fn now_works_in(&mut self, codes: &Value) -> Result<()> {
        let mut me: Map<String, Value> = self.queue.read("me.json")?.unwrap_or_default();
        me.insert("areas".to_owned(), codes.clone());
        self.queue.write("me.json", &me)?;
        self.user = Some(rules::user(&me));
        Ok(())
    }

    /// False: the phone holds it already.
    async fn fetch_release(&mut self, release: &Value) -> Result<bool, Gone> {
        let text = |member: &str| release.get(member).and_then(Value::as_str).unwrap_or_default();
        let (hash, url) = (text("hash").to_owned(), text("url").to_owned());
        if self.settings.shelf.by_hash(&hash).is_some() {
            return Ok(false);
        }
        let reply = self.ask(Ask::new(Method::GET, url).answer_packed()).await?;
        self.settings.shelf.take(&reply.body, &hash)?;
        Ok(true)
    }

    /// The server tells of a submission: one of which no answer had come may have arrived all the same.
    async fn heard_of(&mut self, told: &Value) -> Result<(), Gone> {
        let Some(mut item) = self.told_of(told) else { return Ok(()) };
        let text = |member: &str| told.get(member).and_then(Value::as_str).unwrap_or_default();
        if item.content_hash.as_deref() != Some(text("content_hash")) {
            return Ok(());
        }
        let waits = item.state.wants_sending() || item.state == State::Quarantined;
        if waits && self.proves(&item, text("receipt")).await? {
            item.proof = Some(Proof {
                receipt: text("receipt").to_owned(),
                revision: told.get("revision").and_then(Value::as_i64),
                received_at: text("received_at").to_owned(),
                verdict: text("verdict").to_owned(),
                flags: Vec::new(),
            });
            item.state = State::Stored;
        }
        if text("review") != "returned" {
            item.state = item.state.after(Event::TakeBack).unwrap_or(item.state);
        }
        note_photos(&mut item, told);
        Ok(self.queue.put(item)?)
    }

    /// A reviewer sent a submission back. False: it is none of this phone's, or is being corrected already.
    fn sent_back(&mut self, returned: &Value) -> Result<bool> {
        let Some(mut item) = self.told_of(returned) else { return Ok(false) };
        let Some(next) = item.state.after(Event::Return) else { return Ok(false) };
        item.comments = returned.get("fields").and_then(Value::as_array).cloned().unwrap_or_default();
        item.if_match = returned.get("content_hash").and_then(Value::as_str).map(str::to_owned);
        item.state = next;
        self.queue.put(item)?;
        Ok(true)
    }

    fn told_of(&self, told: &Value) -> Option<Item> {
        let id = told.get("submission").and_then(Value::as_str)?.parse().ok()?;
        self.item(id).cloned()
    }
}

/// Photos the server has, and photos it lacks though the phone thought it had them.
fn note_photos(item: &mut Item, told: &Value) {
    let Some(missing) = told.get("media_missing").and_then(Value::as_array) else { return };
    for photo in &mut item.photos {
        let is_missing = missing.iter().any(|name| name.as_str() == Some(&photo.name));
        match (&photo.way, is_missing) {
            (Way::Waiting { .. } | Way::Uploading { .. }, false) => photo.way = Way::Arrived,
            (Way::Arrived, true) => photo.way = Way::Waiting { doubted: true },
            _ => {}
        }
    }
    match (item.state, item.has_all_photos_there()) {
        (State::Stored, true) => item.state = State::Complete,
        (State::Complete, false) => item.state = State::Stored,
        _ => {}
    }
}

impl Gone {
    pub(super) fn into_error(self) -> Error {
        match self {
            Gone::Disk(error) => error,
            Gone::Hindered(hindrance) => Error::unavailable("no_network", format!("{hindrance:?}")),
        }
    }
}

/// Which release an item of a sync names.
fn release_of(item: &Value) -> (&str, u32) {
    let version = item.get("version").and_then(Value::as_u64).and_then(|version| u32::try_from(version).ok());
    (item.get("form").and_then(Value::as_str).unwrap_or_default(), version.unwrap_or_default())
}
