//! The one writer. It takes what is queued and has it done in one transaction (`desk.rs`), and then answers everybody. A unit
//! whose row another process wrote meanwhile fails on the unique key, is run again, and then finds that row.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::desk::{Batch, Desk, Lost, Place};
use super::faults::Fault;
use super::transaction::{By, Tx};
use crate::error::{Error, Result};

/// How many units may wait; past that, callers are told to come back.
pub(super) const QUEUE: usize = 4096;
/// How many units share one commit at most.
pub(super) const BATCH: usize = 256;

pub(super) struct Writer {
    queue: Mutex<Option<SyncSender<Box<dyn Unit>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(mut desk: Desk) -> Result<Writer> {
        let (sender, receiver) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("db-writer".into())
            .spawn(move || work(&mut desk, &receiver))
            .map_err(|cause| Error::internal("starting the database writer", cause))?;
        Ok(Writer { queue: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)) })
    }

    pub(super) fn submit<T, F>(&self, by: By, run: F) -> Result<oneshot::Receiver<Result<T>>>
    where
        T: Send + 'static,
        F: Fn(&mut Tx) -> Result<T> + Send + 'static,
    {
        let (reply, receiver) = oneshot::channel();
        let unit = Box::new(Work { by, run, result: None, reply });
        let queue = self.queue.lock().expect("the queue's lock is never held over a panic");
        queued(queue.as_ref().map(|queue| queue.try_send(unit)))?;
        Ok(receiver)
    }

    pub(super) fn close(&self) {
        drop(self.queue.lock().expect("the queue's lock is never held over a panic").take());
        let thread = self.thread.lock().expect("the thread's lock is never held over a panic").take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

/// What callers are told of a queue that took their work, or did not.
pub(super) fn queued<T>(sent: Option<Result<(), TrySendError<T>>>) -> Result<()> {
    match sent {
        Some(Ok(())) => Ok(()),
        Some(Err(TrySendError::Full(_))) => {
            Err(Error::unavailable("busy", "too many writes are waiting; send it again shortly")
                .retry_after(Duration::from_secs(1)))
        }
        Some(Err(TrySendError::Disconnected(_))) | None => Err(gone()),
    }
}

/// What callers are told when the writer has stopped.
pub(super) fn gone() -> Error {
    Error::unavailable("shutting_down", "the server is stopping; send it again shortly")
        .retry_after(Duration::from_secs(2))
}

fn work(desk: &mut Desk, queue: &Receiver<Box<dyn Unit>>) {
    while let Ok(first) = queue.recv() {
        let mut units = vec![first];
        units.extend(queue.try_iter().take(BATCH - 1));
        metrics::histogram!("nigran_write_batch").record(units.len() as f64);
        let mut batch = Units(units);
        let outcome = desk.carry_out(&mut batch);
        for unit in batch.0 {
            unit.answer(outcome);
        }
    }
}

struct Units(Vec<Box<dyn Unit>>);

impl Batch for Units {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn is_repeatable(&self) -> bool {
        false
    }

    fn all(&mut self, place: &mut Place<'_>) -> Result<(), Fault> {
        self.0.iter_mut().try_for_each(|unit| unit.run(place))
    }

    fn one(&mut self, n: usize, place: &mut Place<'_>) -> bool {
        self.0[n].run_alone(place)
    }

    fn fault(&self, n: usize) -> Option<Fault> {
        self.0[n].fault()
    }
}

/// A unit of work with its result type hidden.
trait Unit: Send {
    /// Runs the unit, and keeps what came of it.
    fn run(&mut self, place: &mut Place<'_>) -> Result<(), Fault>;
    /// Runs it with all that belongs to it; true when it succeeded.
    fn run_alone(&mut self, place: &mut Place<'_>) -> bool;
    /// Why it failed.
    fn fault(&self) -> Option<Fault>;
    /// Tells the caller. `commit` is the fate of the transaction.
    fn answer(self: Box<Self>, commit: Result<(), Lost>);
}

struct Work<T, F> {
    by: By,
    run: F,
    result: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, F> Unit for Work<T, F>
where
    T: Send,
    F: Fn(&mut Tx) -> Result<T> + Send,
{
    fn run(&mut self, place: &mut Place<'_>) -> Result<(), Fault> {
        let result = guarded(|| (self.run)(&mut place.tx(self.by.clone())));
        self.result.insert(result).as_ref().map(drop).map_err(Fault::of)
    }

    fn run_alone(&mut self, place: &mut Place<'_>) -> bool {
        if self.run(place).is_err() {
            return false;
        }
        let written = place.write_pending();
        let succeeded = written.is_ok();
        if let Err(cause) = written {
            self.result = Some(Err(cause));
        }
        succeeded
    }

    fn fault(&self) -> Option<Fault> {
        self.result.as_ref()?.as_ref().err().map(Fault::of)
    }

    fn answer(self: Box<Self>, commit: Result<(), Lost>) {
        // The caller may have gone away; its write stands all the same.
        let _ = self.reply.send(answer(self.result, commit));
    }
}

/// What a caller is told, by what came of its unit and of the transaction.
pub(super) fn answer<T>(result: Option<Result<T>>, commit: Result<(), Lost>) -> Result<T> {
    match (result, commit) {
        // What was said by a connection that is gone is of no interest to anybody.
        (Some(Err(own)), Err(_)) if Fault::of(&own) == Fault::Own => Err(own),
        (_, Err(lost)) => Err(lost.error()),
        (Some(done), Ok(())) => done,
        (None, Ok(())) => Err(Error::internal("writing", "the unit of work was not run")),
    }
}

/// Runs somebody's code; a panic is an error of theirs alone.
pub(super) fn guarded<T>(run: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|_| Err(Error::internal("writing", "the unit of work panicked")))
}
