//! How large the pieces are: what waits in memory is shared among all who are sending at the moment, so that a hundred
//! phones need no more of it than ten, and a thousand not much.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many bytes may wait in memory at once.
const IN_MEMORY: usize = 12 * 1024 * 1024;
/// The largest piece.
const LARGEST: usize = 256 * 1024;
/// The smallest that is made because many are sending.
const SMALLEST: usize = 32 * 1024;

/// Those who are sending at the moment; clones count the same.
#[derive(Clone, Default)]
pub(super) struct Senders(Arc<AtomicUsize>);

/// One of them, until it is dropped.
pub(super) struct Sender(Arc<AtomicUsize>);

impl Senders {
    /// Somebody begins to send.
    pub(super) fn come(&self) -> Sender {
        self.0.fetch_add(1, Ordering::Relaxed);
        Sender(self.0.clone())
    }
}

impl Sender {
    /// At which size its bytes become a piece.
    pub(super) fn piece(&self) -> usize {
        let share = IN_MEMORY / self.0.load(Ordering::Relaxed).max(1);
        share.clamp(SMALLEST, LARGEST)
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_send_the_smaller_the_pieces() {
        let senders = Senders::default();
        let first = senders.come();
        assert_eq!(first.piece(), LARGEST);
        let others: Vec<Sender> = (1..100).map(|_| senders.clone().come()).collect();
        assert_eq!(first.piece(), IN_MEMORY / 100);
        let crowd: Vec<Sender> = (100..2000).map(|_| senders.come()).collect();
        assert_eq!(first.piece(), SMALLEST);
        drop((others, crowd));
        assert_eq!(first.piece(), LARGEST);
    }
}
