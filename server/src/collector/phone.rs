//! A phone without a screen: an inspector's offline queue, the releases it holds, and everything it does when there is a
//! network. It can be ended at any moment and opened again from its folder.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, FixedOffset, Utc};
use form_engine::User;
use reqwest::Method;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::answer::{Hindrance, Said};
use super::backoff::Backoff;
use super::chance::Chance;
use super::link::Link;
use super::machine::{Event, State};
use super::model::{Item, Picture, Problem, Visit};
use super::queue::{Durability, Queue};
use super::receipts::{self, Doubt};
use super::rules::{self, Held, Shelf};
use super::session::{Owner, Session};
use super::wire::{Ask, Reply, Wire};
use crate::clock::Clock;
use crate::error::{Error, Result};

/// Which release of each form is given out to the phone.
const GIVEN: &str = "given.json";

/// How a phone is set up.
#[derive(Clone)]
pub struct Settings {
    /// Where its queue lies.
    pub folder: PathBuf,
    /// Whether the queue survives a power cut.
    pub durability: Durability,
    /// The server.
    pub url: String,
    /// How long it waits for an answer, on top of the time a slow link needs for the request itself.
    pub patience: Duration,
    /// When it tries again.
    pub backoff: Backoff,
    /// From how many waiting submissions on it sends them together.
    pub batch_from: usize,
    /// The time it takes the world to be.
    pub clock: Clock,
    /// The releases it was prepared with.
    pub shelf: Shelf,
}

/// What a phone has been through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests that got no whole answer, or one that said "later".
    pub retried: u64,
    /// Receipts that did not prove what they should.
    pub not_genuine: u64,
    /// Uploads that had to begin again though the server had acknowledged a part of them.
    pub restarted: u64,
    /// Photos acknowledged.
    pub photos: u64,
    /// Submissions acknowledged.
    pub filed: u64,
    /// Bytes that had to be sent: packed envelopes and photos, each once.
    pub needed: u64,
}

/// An inspector's phone.
pub struct Phone {
    pub(super) settings: Settings,
    pub(super) queue: Queue,
    pub(super) wire: Wire,
    pub(super) session: Session,
    pub(super) link: Link,
    pub(super) chance: Chance,
    pub(super) tally: Tally,
    pub(super) user: Option<User>,
    /// The server answered that it knows no resumable uploads.
    pub(super) takes_no_uploads: bool,
    keys: Option<Value>,
    failures: u32,
    quiet_until: Option<DateTime<Utc>>,
    pub(super) trouble: Option<String>,
    stuck: Option<Problem>,
}

/// What came of one pass over everything that was due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Nothing is left to send.
    Idle,
    /// Something is left, but not before this long.
    Wait(Duration),
    /// Nothing can be sent before a person has done something: a wrong password, a revoked device.
    Stuck(Problem),
}

impl Phone {
    /// Opens a phone with everything that is in its folder.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(settings: Settings, owner: Owner, chance: Chance) -> Result<Phone> {
        let queue = Queue::open(&settings.folder, settings.durability)?;
        let session = Session::open(owner, &queue)?;
        let wire = Wire::to(&settings.url, settings.patience)?;
        let keys = queue.read("keys.json")?;
        let me: Option<Map<String, Value>> = queue.read("me.json")?;
        Ok(Phone {
            user: me.as_ref().map(rules::user),
            settings,
            queue,
            wire,
            session,
            link: Link::default(),
            chance,
            tally: Tally::default(),
            takes_no_uploads: false,
            keys,
            failures: 0,
            quiet_until: None,
            trouble: None,
            stuck: None,
        })
    }

    /// Everything in its queue.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.queue.items()
    }

    /// One submission.
    pub fn item(&self, id: Uuid) -> Option<&Item> {
        self.queue.item(id)
    }

    /// The bytes of a photo it holds.
    ///
    /// # Errors
    /// When it does not hold it.
    pub fn photo(&self, sha256: &str) -> Result<bytes::Bytes> {
        self.queue.photo(sha256)
    }

    /// What it has been through since it was opened.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Bytes given to the network since it was opened, headers included, and requests.
    pub fn sent(&self) -> (u64, u64) {
        self.wire.sent()
    }

    /// How often the password was needed since it was opened.
    pub fn logins(&self) -> u32 {
        self.session.logins
    }

    /// What last stood in the way, for whoever looks into it.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Begins a form. It is in the queue from now on.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn begin(&mut self, visit: Visit, pictures: &[Picture]) -> Result<Uuid> {
        let id = self.chance.uuid();
        let photos = pictures.iter().map(|picture| self.queue.keep(picture)).collect::<Result<Vec<_>>>()?;
        self.queue.put(Item::begun(id, visit, photos))?;
        Ok(id)
    }

    /// Answers questions of a form that is open, and closes it: it is judged, and its bytes are fixed for good.
    ///
    /// # Errors
    /// When there is no such form, it is not open, or its release is not on the phone.
    pub fn finish(&mut self, id: Uuid, changes: &[(String, Value)]) -> Result<()> {
        let mut item = self.queue.item(id).cloned().ok_or_else(|| nothing_of(id))?;
        let closed = item.state.after(Event::Finish).ok_or_else(|| {
            Error::conflict("not_open", format!("submission {id} is not open; it is {:?}", item.state))
        })?;
        let held = self.release_of(&item.visit)?;
        let user = self.user.clone().unwrap_or_default();
        let (judged, answers) = rules::judge(&held, &item.visit, &user, changes);
        item.visit.answers = answers;
        let envelope = envelope(&item, self.session.owner(), self.now_here(item.visit.finished_at));
        item.content_hash = receipts::content_hash(&envelope).ok();
        item.envelope = Some(envelope.to_string());
        item.judged = Some(judged);
        item.state = closed;
        self.queue.put(item)
    }

    /// Opens a submission again that was returned, refused or found in conflict. What is sent next replaces the revision
    /// the server holds.
    ///
    /// # Errors
    /// When there is no such submission, or nothing to correct about it.
    pub fn correct(&mut self, id: Uuid) -> Result<()> {
        let mut item = self.queue.item(id).cloned().ok_or_else(|| nothing_of(id))?;
        let open = item.state.after(Event::Correct).ok_or_else(|| {
            Error::conflict(
                "not_to_correct",
                format!("submission {id} is {:?}; nothing to correct", item.state),
            )
        })?;
        // What was sent back says itself which revision it is, and a refusal changes nothing about that; after a
        // conflict it is the one the server says it holds.
        if item.state == State::Conflict {
            let theirs = item.problem.as_ref().and_then(|problem| problem.content_hash.clone());
            item.if_match = theirs.or(item.if_match);
        }
        item.state = open;
        item.problem = None;
        self.queue.put(item)
    }

    /// There is a network again: waits are over.
    pub fn has_signal(&mut self) {
        self.quiet_until = None;
        self.stuck = None;
    }

    /// Does everything that is due, once: answers first; what changed, when something was filed; then photos.
    ///
    /// # Errors
    /// When the phone's own disk fails.
    pub async fn pass(&mut self) -> Result<Pass> {
        if let Some(wait) = self.wait_left() {
            return Ok(Pass::Wait(wait));
        }
        if let Some(problem) = &self.stuck {
            return Ok(Pass::Stuck(problem.clone()));
        }
        if !self.items().any(|item| item.state.wants_sending() || item.state.wants_photos()) {
            return Ok(Pass::Idle);
        }
        match self.everything_due().await {
            Ok(()) => self.failures = 0,
            Err(Gone::Disk(error)) => return Err(error),
            Err(Gone::Hindered(hindrance)) => self.hindered(hindrance),
        }
        Ok(self.what_is_left())
    }

    async fn everything_due(&mut self) -> Result<(), Gone> {
        self.know_who_i_am().await?;
        let filed = self.tally.filed;
        self.send_answers().await?;
        if self.tally.filed > filed {
            self.catch_up().await?;
        }
        self.send_photos().await
    }

    /// Who owns the phone, and the keys receipts are signed with: asked once, and kept.
    async fn know_who_i_am(&mut self) -> Result<(), Gone> {
        if self.user.is_none() {
            let me = self.read("/v1/me").await?;
            let me = me.as_object().cloned().unwrap_or_default();
            self.queue.write("me.json", &me)?;
            self.user = Some(rules::user(&me));
        }
        if self.keys.is_none() {
            self.fetch_keys().await?;
        }
        Ok(())
    }

    async fn fetch_keys(&mut self) -> Result<(), Gone> {
        let keys = self.read("/.well-known/jwks.json").await?;
        self.queue.write("keys.json", &keys)?;
        self.keys = Some(keys);
        Ok(())
    }

    /// Makes sure the phone knows its owner and holds the current releases of these forms.
    ///
    /// # Errors
    /// What hindered it, as a sentence.
    pub async fn prepare(&mut self, forms: &[&str]) -> Result<()> {
        self.be_prepared(forms).await.map_err(Gone::into_error)
    }

    async fn be_prepared(&mut self, forms: &[&str]) -> Result<(), Gone> {
        self.know_who_i_am().await?;
        let listed = self.read("/v1/forms").await?;
        for listed in listed.get("items").and_then(Value::as_array).into_iter().flatten() {
            let text = |member: &str| listed.get(member).and_then(Value::as_str).unwrap_or_default();
            let (form, hash) = (text("form"), text("hash"));
            if !forms.contains(&form) {
                continue;
            }
            let version = listed.get("version").and_then(Value::as_u64).unwrap_or_default();
            self.is_given(form, u32::try_from(version).ok())?;
            if self.settings.shelf.by_hash(hash).is_some() {
                continue;
            }
            let path = format!("/v1/forms/{form}/releases/{version}");
            let reply = self.ask(Ask::new(Method::GET, path).answer_packed()).await?;
            self.settings.shelf.take(&reply.body, hash)?;
        }
        Ok(())
    }

    /// The release of a form that new visits are begun with: what the server gave last, which after a release was taken back is
    /// not the highest. None: there is none on the phone, or none is given out any more.
    pub fn newest(&self, form: &str) -> Option<u32> {
        let on_the_shelf = |version: &u32| self.settings.shelf.release(form, *version).is_some();
        match self.given().get(form) {
            Some(version) => version.filter(on_the_shelf),
            None => (1..=1000).rev().find(on_the_shelf),
        }
    }

    fn given(&self) -> BTreeMap<String, Option<u32>> {
        self.queue.read(GIVEN).ok().flatten().unwrap_or_default()
    }

    /// Remembers which release of a form is given out to this phone.
    pub(super) fn is_given(&mut self, form: &str, version: Option<u32>) -> Result<()> {
        let mut given = self.given();
        if given.get(form) == Some(&version) {
            return Ok(());
        }
        given.insert(form.to_owned(), version);
        self.queue.write(GIVEN, &given)
    }

    /// Remembers that a release is given out no more; another one may be already.
    pub(super) fn is_withdrawn(&mut self, form: &str, version: u32) -> Result<()> {
        match self.newest(form) == Some(version) {
            true => self.is_given(form, None),
            false => Ok(()),
        }
    }

    async fn read(&mut self, path: &str) -> Result<Value, Gone> {
        let reply = self.ask(Ask::new(Method::GET, path)).await?;
        self.read_page(&reply).map(Value::Object)
    }

    /// The JSON object an answer holds.
    pub(super) fn read_page(&self, reply: &Reply) -> Result<Map<String, Value>, Gone> {
        let later = |why: String| Gone::from(Hindrance::Later { why, after: None });
        match reply.said()? {
            Said::Yes(_, Value::Object(page)) => Ok(page),
            Said::Yes(..) => Err(later("an answer that is no object".to_owned())),
            Said::No(problem) => Err(later(problem.code)),
        }
    }

    /// Sends a request as whoever is logged in; a token that ran out on the way is renewed once.
    pub(super) async fn ask(&mut self, ask: Ask) -> Result<Reply, Hindrance> {
        let reply = self.ask_once(&ask).await?;
        match reply.status {
            401 => {
                self.session.spoilt();
                self.ask_once(&ask).await
            }
            _ => Ok(reply),
        }
    }

    async fn ask_once(&mut self, ask: &Ask) -> Result<Reply, Hindrance> {
        let patience = self.settings.patience;
        let token = self.session.token(&self.queue, &self.wire, self.link.deadline(0, patience)).await;
        let token = token.inspect_err(|_| self.link.tore())?;
        let bytes = ask.body.len() as u64;
        let ask = ask.clone().header("authorization", format!("Bearer {token}"));
        match self.wire.send(ask, self.link.deadline(bytes, patience)).await {
            Ok(reply) => {
                self.link.went_well(bytes, reply.took);
                Ok(reply)
            }
            Err(no_answer) => {
                self.link.tore();
                Err(no_answer.into())
            }
        }
    }

    /// Whether a receipt proves what it should; keys the phone does not have are fetched.
    pub(super) async fn proves(&mut self, item: &Item, receipt: &str) -> Result<bool, Gone> {
        let none = json!({ "keys": [] });
        let mut proof = receipts::proves(item, receipt, self.keys.as_ref().unwrap_or(&none));
        if proof == Err(Doubt::UnknownKey) {
            self.fetch_keys().await?;
            proof = receipts::proves(item, receipt, self.keys.as_ref().unwrap_or(&none));
        }
        self.tally.not_genuine += u64::from(proof.is_err());
        Ok(proof.is_ok())
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.settings.clock.now()
    }

    /// Now, in the offset the visit was made in.
    fn now_here(&self, visit: DateTime<FixedOffset>) -> DateTime<FixedOffset> {
        self.now().with_timezone(visit.offset())
    }

    pub(super) fn release_of(&self, visit: &Visit) -> Result<std::sync::Arc<Held>> {
        self.settings.shelf.release(&visit.form, visit.version).ok_or_else(|| {
            Error::not_found(
                "release_not_held",
                format!("{} {} is not on this phone; prepare it first", visit.form, visit.version),
            )
        })
    }

    /// Something came of the last request: whatever went wrong before is over.
    pub(super) fn progress(&mut self) {
        self.failures = 0;
    }

    fn hindered(&mut self, hindrance: Hindrance) {
        let after = match hindrance {
            Hindrance::NeedsLogin(problem) => {
                if problem.code == "device_revoked" {
                    // Lost or stolen: whoever holds it now is to find nothing.
                    self.trouble = self.queue.wipe().err().map(|error| error.detail);
                }
                self.stuck = Some(problem);
                return;
            }
            Hindrance::Later { after, why } | Hindrance::Faulty { after, why } => {
                self.trouble = Some(why);
                after
            }
        };
        self.tally.retried += 1;
        self.failures += 1;
        let wait = self.settings.backoff.after(self.failures, after, &mut self.chance);
        self.quiet_until = Some(self.now() + wait);
    }

    fn wait_left(&self) -> Option<Duration> {
        let left = (self.quiet_until? - self.now()).to_std().ok()?;
        // A wait written down before the clock was set back would never end.
        Some(left.min(self.settings.backoff.longest)).filter(|left| !left.is_zero())
    }

    fn what_is_left(&self) -> Pass {
        if let Some(problem) = &self.stuck {
            return Pass::Stuck(problem.clone());
        }
        let open: Vec<&Item> = self
            .items()
            .filter(|item| {
                item.state.wants_sending() || (item.state.wants_photos() && item.next_photo().is_some())
            })
            .collect();
        if open.is_empty() {
            return Pass::Idle;
        }
        let soonest = open.iter().map(|item| self.not_before(item)).min().unwrap_or_default();
        Pass::Wait(soonest.max(self.wait_left().unwrap_or_default()))
    }

    /// How long an item must not be tried yet.
    pub(super) fn not_before(&self, item: &Item) -> Duration {
        let left = item.not_before.and_then(|at| (at - self.now()).to_std().ok()).unwrap_or_default();
        left.min(self.settings.backoff.longest)
    }
}

/// What ends a pass.
pub(super) enum Gone {
    /// The network or the server.
    Hindered(Hindrance),
    /// The phone's own disk.
    Disk(Error),
}

impl From<Hindrance> for Gone {
    fn from(hindrance: Hindrance) -> Gone {
        Gone::Hindered(hindrance)
    }
}

impl From<Error> for Gone {
    fn from(error: Error) -> Gone {
        Gone::Disk(error)
    }
}

/// The envelope of an item. Made once, when the form is closed.
fn envelope(item: &Item, owner: &Owner, clock: DateTime<FixedOffset>) -> Value {
    let visit = &item.visit;
    let at = |instant: DateTime<FixedOffset>| instant.to_rfc3339_opts(chrono::SecondsFormat::Secs, false);
    let media: Vec<Value> = item
        .photos
        .iter()
        .map(|photo| {
            json!({ "name": photo.name, "sha256": photo.sha256, "size": photo.size, "type": photo.content_type })
        })
        .collect();
    let mut envelope = json!({
        "form": visit.form, "version": visit.version, "facility": visit.facility,
        "started_at": at(visit.started_at), "finished_at": at(visit.finished_at),
        "device": { "id": owner.device, "app": owner.app, "clock": at(clock) },
        "location": visit.location, "answers": visit.answers, "media": media,
    });
    if !visit.non_answers.is_empty() {
        envelope["non_answers"] = Value::Object(visit.non_answers.clone());
    }
    envelope
}

fn nothing_of(id: Uuid) -> Error {
    Error::not_found("not_on_this_phone", format!("there is no submission {id} on this phone"))
}

impl State {
    /// Whether the phone still has something to do for it without a person.
    pub fn is_under_way(self) -> bool {
        self.wants_sending() || self == State::Stored
    }
}
