//! A verb that is done for many callers at once: what they hand in while a commit is under way shares the next one, and
//! shares its statements too. On PostgreSQL a lane has connections of its own, so that one commits while another
//! plans; on SQLite there is one writer, and each call is one of its units.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::Db;
use super::desk::{Batch, Desk, Lost, Place};
use super::faults::Fault;
use super::transaction::{By, Tx};
use super::writer::{BATCH, QUEUE, answer, gone, guarded, queued};
use crate::error::{Error, Result};

/// What may be done for several at once. Doing it again, with the same item, must find that it was done.
pub trait Verb: Send + Sync + 'static {
    /// What a caller hands in.
    type Item: Clone + Send + Sync + 'static;
    /// What a caller gets.
    type Done: Send + 'static;

    /// Does it for one. As any unit of work it may run twice.
    fn one(&self, tx: &mut Tx, item: &Self::Item) -> Result<Self::Done>;

    /// Does it for all of them in one transaction: an answer for each, in order. An error takes back everything, and each is
    /// done by [`Verb::one`].
    fn many(&self, tx: &mut Tx, items: &[(By, Self::Item)]) -> Result<Vec<Result<Self::Done>>>;
}

/// The door to a verb. Clones are the same door.
pub struct Lane<V: Verb> {
    verb: Arc<V>,
    db: Db,
    queue: Option<Arc<Queue<V>>>,
}

impl<V: Verb> Clone for Lane<V> {
    fn clone(&self) -> Lane<V> {
        Lane { verb: self.verb.clone(), db: self.db.clone(), queue: self.queue.clone() }
    }
}

struct Queue<V: Verb> {
    sender: Mutex<Option<SyncSender<Entry<V>>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// Something that can be told to finish and stop.
pub(super) trait Closing: Send + Sync {
    fn close(&self);
}

impl<V: Verb> Closing for Queue<V> {
    fn close(&self) {
        drop(self.sender.lock().unwrap_or_else(PoisonError::into_inner).take());
        for thread in self.threads.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = thread.join();
        }
    }
}

impl<V: Verb> Lane<V> {
    /// A lane that hands each call to the database's one writer.
    pub(super) fn through_the_writer(db: Db, verb: V) -> Lane<V> {
        Lane { verb: Arc::new(verb), db, queue: None }
    }

    /// A lane with desks of its own.
    pub(super) fn over(db: Db, verb: V, desks: Vec<Desk>) -> Result<(Lane<V>, Arc<dyn Closing>)> {
        let verb = Arc::new(verb);
        let (sender, receiver) = sync_channel(QUEUE);
        let receiver = Arc::new(Mutex::new(receiver));
        let mut threads = Vec::new();
        for mut desk in desks {
            let (verb, receiver) = (verb.clone(), receiver.clone());
            let thread = std::thread::Builder::new()
                .name("db-lane".into())
                .spawn(move || work(&*verb, &mut desk, &receiver))
                .map_err(|cause| Error::internal("starting a database writer", cause))?;
            threads.push(thread);
        }
        let queue = Arc::new(Queue { sender: Mutex::new(Some(sender)), threads: Mutex::new(threads) });
        Ok((Lane { verb, db, queue: Some(queue.clone()) }, queue))
    }

    /// Does it for one caller, and answers once it is durable.
    pub async fn submit(&self, by: By, item: V::Item) -> Result<V::Done> {
        let Some(queue) = &self.queue else {
            let verb = self.verb.clone();
            return self.db.write(by, move |tx| verb.one(tx, &item)).await;
        };
        let (reply, receiver) = oneshot::channel();
        let sent = {
            let sender = queue.sender.lock().unwrap_or_else(PoisonError::into_inner);
            sender.as_ref().map(|sender| sender.try_send(Entry { by, item, reply }))
        };
        queued(sent)?;
        receiver.await.map_err(|_| gone())?
    }
}

struct Entry<V: Verb> {
    by: By,
    item: V::Item,
    reply: oneshot::Sender<Result<V::Done>>,
}

/// What waits, up to a batch; none: the lane is closed. Whoever waits for work holds the receiver; whoever works does not.
fn next<V: Verb>(queue: &Mutex<Receiver<Entry<V>>>) -> Option<Vec<Entry<V>>> {
    let receiver = queue.lock().unwrap_or_else(PoisonError::into_inner);
    let mut entries = vec![receiver.recv().ok()?];
    entries.extend(receiver.try_iter().take(BATCH - 1));
    Some(entries)
}

fn work<V: Verb>(verb: &V, desk: &mut Desk, queue: &Mutex<Receiver<Entry<V>>>) {
    while let Some(entries) = next(queue) {
        metrics::histogram!("nigran_lane_batch").record(entries.len() as f64);
        let (items, replies): (Vec<_>, Vec<_>) =
            entries.into_iter().map(|entry| ((entry.by, entry.item), entry.reply)).unzip();
        let mut batch = Calls { verb, results: Vec::new(), items };
        let outcome = desk.carry_out(&mut batch);
        batch.answer(replies, outcome);
    }
}

struct Calls<'v, V: Verb> {
    verb: &'v V,
    items: Vec<(By, V::Item)>,
    results: Vec<Option<Result<V::Done>>>,
}

impl<V: Verb> Calls<'_, V> {
    fn answer(self, replies: Vec<oneshot::Sender<Result<V::Done>>>, outcome: Result<(), Lost>) {
        let mut results = self.results.into_iter();
        for reply in replies {
            // The caller may have gone away; its write stands all the same.
            let _ = reply.send(answer(results.next().flatten(), outcome));
        }
    }
}

impl<V: Verb> Batch for Calls<'_, V> {
    fn len(&self) -> usize {
        self.items.len()
    }

    fn is_repeatable(&self) -> bool {
        true
    }

    fn all(&mut self, place: &mut Place<'_>) -> Result<(), Fault> {
        self.results.clear();
        let done = guarded(|| self.verb.many(&mut place.tx(By::system()), &self.items));
        match done {
            Ok(results) => {
                self.results = results.into_iter().map(Some).collect();
                Ok(())
            }
            Err(cause) => Err(Fault::of(&cause)),
        }
    }

    fn one(&mut self, n: usize, place: &mut Place<'_>) -> bool {
        let (by, item) = &self.items[n];
        let done = guarded(|| self.verb.one(&mut place.tx(by.clone()), item));
        let done = done.and_then(|done| place.write_pending().map(|()| done));
        let succeeded = done.is_ok();
        self.results.resize_with(self.items.len(), || None);
        self.results[n] = Some(done);
        succeeded
    }

    fn fault(&self, n: usize) -> Option<Fault> {
        self.results.get(n)?.as_ref()?.as_ref().err().map(Fault::of)
    }
}
