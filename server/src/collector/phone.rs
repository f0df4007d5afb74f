//! A phone without a screen: an inspector's offline queue, and everything it does when there is a network, pass by pass. It
//! can be ended at any moment and opened again from its folder.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use form_engine::User;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::answer::Hindrance;
use super::backoff::Backoff;
use super::chance::Chance;
use super::link::Link;
use super::machine::State;
use super::model::{Item, Problem};
use super::queue::{Durability, Queue};
use super::rules::{self, Shelf};
use super::session::{Owner, Session};
use super::wire::Wire;
use crate::clock::Clock;
use crate::error::{Error, Result};

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
    pub(super) keys: Option<Value>,
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

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.settings.clock.now()
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

impl State {
    /// Whether the phone still has something to do for it without a person.
    pub fn is_under_way(self) -> bool {
        self.wants_sending() || self == State::Stored
    }
}
